// Keeps the page for when there is no network: answers come from here first. `build` fills in the version and the files.

// Another page of the same origin has its own.
const CACHES = `edge8-page-${self.registration.scope}-`;
const CACHE = `${CACHES}@VERSION@`;
const PROGRAM = new URL(self.location.href).searchParams.get("program");
const FILES = ["./", PROGRAM, "@FILES@"];

self.addEventListener("install", (event) => {
    const fresh = FILES.map((name) => new Request(name, { cache: "reload" }));
    // A page that is open has all that it needs: the next load, not the one after all pages are closed, is the new version.
    event.waitUntil(
        caches
            .open(CACHE)
            .then((cache) => cache.addAll(fresh))
            .then(() => self.skipWaiting()),
    );
});

self.addEventListener("activate", (event) => {
    const old = (name) => name.startsWith(CACHES) && name !== CACHE;
    event.waitUntil(caches.keys().then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name)))));
});

async function answer(request) {
    const cache = await caches.open(CACHE);
    return (await cache.match(request, { ignoreSearch: true })) ?? fetch(request);
}

self.addEventListener("fetch", (event) => {
    if (event.request.method === "GET") event.respondWith(answer(event.request));
});
