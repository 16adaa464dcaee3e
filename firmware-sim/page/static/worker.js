// Keeps the page for when there is no network: answers come from here first. `build` fills in the version and the files.

const CACHE = "edge8-page-@VERSION@";
const PROGRAM = new URL(self.location.href).searchParams.get("program");
const FILES = ["./", PROGRAM, "@FILES@"];

self.addEventListener("install", (event) => {
    const fresh = FILES.map((name) => new Request(name, { cache: "reload" }));
    event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)));
});

self.addEventListener("activate", (event) => {
    const old = (name) => name.startsWith("edge8-page-") && name !== CACHE;
    event.waitUntil(caches.keys().then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name)))));
});

async function answer(request) {
    const cache = await caches.open(CACHE);
    return (await cache.match(request, { ignoreSearch: true })) ?? fetch(request);
}

self.addEventListener("fetch", (event) => {
    if (event.request.method === "GET") event.respondWith(answer(event.request));
});
