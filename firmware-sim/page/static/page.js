// What a person does goes to the device; what the device says is shown.

import { HEIGHT, PROGRAM, WIDTH, start } from "./device.js";
import { showMemory } from "./memory.js";
import { fromCamera, grey } from "./picture.js";
import { Reading } from "./reading.js";

const at = (id) => document.getElementById(id);
const display = at("display");
const context = display.getContext("2d", { alpha: false });

let device;
let reading;
let awaited = 0;
let examples;
let next = 0;
let playing = null;

// Lets the device take in what was done, once a frame.
function soon() {
    awaited ||= requestAnimationFrame(show);
}

function show() {
    awaited = 0;
    if (device.wasm.step() !== 0) draw();
}

function draw() {
    context.putImageData(device.image, 0, 0);
    reading.show();
}

// Ends an example that is being drawn.
function stop() {
    if (playing !== null) device.wasm.lift();
    playing = null;
}

function clear() {
    stop();
    device.wasm.clear();
    soon();
}

// Draws the next example as a person would, or at once for those who want nothing to move.
async function example() {
    const mine = (playing = Symbol("example"));
    const script = await examples[next++ % examples.length];
    if (playing !== mine) return;
    device.wasm.clear();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const frame = () => new Promise(requestAnimationFrame);
    await device.replay(script, async () => {
        draw();
        if (!still) await frame();
        return playing !== mine;
    });
    if (playing === mine) playing = null;
}

async function read(source) {
    stop();
    try {
        const { pixels, width, height } = await grey(source);
        device.read(pixels, width, height);
        soon();
    } catch (error) {
        reading.say(`No picture: ${error.message}`);
    }
}

// Strokes: one pointer at a time, with all the places between two frames.
function listen() {
    let pointer = null;
    const touch = (event) => {
        const box = display.getBoundingClientRect();
        const x = ((event.clientX - box.left) * WIDTH) / box.width;
        const y = ((event.clientY - box.top) * HEIGHT) / box.height;
        device.wasm.touch(Math.floor(x), Math.floor(y));
        soon();
    };
    display.addEventListener("pointerdown", (event) => {
        if (pointer !== null || event.button !== 0) return;
        pointer = event.pointerId;
        stop();
        display.setPointerCapture(pointer);
        touch(event);
    });
    display.addEventListener("pointermove", (event) => {
        if (event.pointerId !== pointer) return;
        const places = event.getCoalescedEvents?.() ?? [];
        (places.length > 0 ? places : [event]).forEach(touch);
    });
    // Also after a lift and a cancelled stroke.
    display.addEventListener("lostpointercapture", () => {
        pointer = null;
        device.wasm.lift();
        soon();
    });

    at("clear").addEventListener("click", clear);
    at("example").addEventListener("click", example);
    at("choose").addEventListener("click", () => at("file").click());
    at("file").addEventListener("change", ({ target }) => {
        if (target.files.length > 0) read(target.files[0]);
        target.value = "";
    });
    at("camera").hidden = !navigator.mediaDevices?.getUserMedia;
    at("camera").addEventListener("click", () => fromCamera(at("viewfinder"), at("video"), read, reading.say));

    document.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || at("viewfinder").open) return;
        if (event.key === "c") clear();
        if (event.key === "e") example();
    });
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
        event.preventDefault();
        const [file] = event.dataTransfer.files;
        if (file) read(file);
    });
}

// The page is kept for when there is no network.
async function keep() {
    await navigator.serviceWorker.register(`worker.js?program=${PROGRAM}`);
    await navigator.serviceWorker.ready;
    at("offline").textContent = "works";
}

async function text(name) {
    const answer = await fetch(name);
    return answer.ok ? answer.text() : "";
}

async function begin() {
    device = await start();
    const vectors = PROGRAM === "simd.wasm" ? "128-bit vectors" : "no vectors";
    at("program").textContent = `WebAssembly, ${vectors}`;
    const places = ["digit", "verdict", "seen", "time", "probabilities"].map((id) => [id, at(id)]);
    reading = new Reading(device, Object.fromEntries(places));
    examples = [7, 3, 8, 0, 5, 2, 9, 4, 6, 1].map((digit) => text(`strokes/${digit}.txt`));
    showMemory(at("memory"), device);
    listen();
    show();
}

try {
    await begin();
} catch (error) {
    at("verdict").textContent = `The page cannot start: ${error.message}`;
}
try {
    await keep();
} catch {
    at("offline").textContent = "not in this browser";
}
