// What a person does goes to the device; what the device says is shown.

import { HEIGHT, PROGRAM, WIDTH, start } from "./device.js";
import { showMemory } from "./memory.js";
import { fromCamera, pixels } from "./picture.js";
import { EMPTY, Reading } from "./reading.js";
import { tellOfPictures } from "./texts.js";

const at = (id) => document.getElementById(id);
const display = at("display");
const context = display.getContext("2d", { alpha: false });

let device;
let reading;
let awaited = 0;
let next = 0;
// What is under way, an example or a picture that is decoded; what is asked for later ends it.
let latest = null;
let filming = false;

const EXAMPLES = [7, 3, 8, 0, 5, 2, 9, 4, 6, 1];

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

// Ends what is under way, for something else begins; its token.
function begin(name) {
    if (latest !== null) device.wasm.lift();
    reading.blank = EMPTY;
    return (latest = name === undefined ? null : Symbol(name));
}

function clear() {
    begin();
    device.wasm.clear();
    soon();
}

// Draws the next example as a person would, or at once for those who want nothing to move.
async function example() {
    const mine = begin("example");
    const name = `strokes/${EXAMPLES[next++ % EXAMPLES.length]}.txt`;
    let script;
    try {
        script = await text(name);
    } catch (error) {
        if (latest !== mine) return;
        latest = null;
        reading.say(`No example: ${error.message}`);
        return;
    }
    if (latest !== mine) return;
    device.wasm.lift();
    device.wasm.clear();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const frame = () => new Promise(requestAnimationFrame);
    await device.replay(script, async () => {
        draw();
        if (!still) await frame();
        return latest !== mine;
    });
    if (latest === mine) latest = null;
}

async function read(source, name) {
    const mine = begin("picture");
    try {
        const { bytes, width, height } = await pixels(source, device.channels);
        if (latest !== mine) return;
        device.read(bytes, width, height);
        reading.blank = `There is nothing to read in ${name}.`;
        soon();
    } catch (error) {
        if (latest === mine) reading.say(`No picture: expected a PNG or JPEG, found ${name}. ${error.message}`);
    }
    if (latest === mine) latest = null;
}

async function film() {
    if (filming) return;
    filming = true;
    begin();
    await fromCamera(at("viewfinder"), at("video"), read, reading.say);
    filming = false;
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
        begin();
        display.setPointerCapture(pointer);
        touch(event);
    });
    display.addEventListener("pointermove", (event) => {
        if (event.pointerId !== pointer || latest !== null) return;
        const places = event.getCoalescedEvents?.() ?? [];
        (places.length > 0 ? places : [event]).forEach(touch);
    });
    // Also after a lift and a cancelled stroke.
    display.addEventListener("lostpointercapture", () => {
        pointer = null;
        if (latest !== null) return;
        device.wasm.lift();
        soon();
    });

    at("clear").addEventListener("click", clear);
    at("example").addEventListener("click", example);
    at("choose").addEventListener("click", () => at("file").click());
    at("file").addEventListener("change", ({ target }) => {
        if (target.files.length > 0) read(target.files[0], target.files[0].name);
        target.value = "";
    });
    at("camera").hidden = !navigator.mediaDevices?.getUserMedia;
    at("camera").addEventListener("click", film);

    // Only where the focus is on the device: a letter alone must not act on all of a page.
    at("device").addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
        if (event.key === "c") clear();
        if (event.key === "e" && device.readsDigits) example();
    });
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
        event.preventDefault();
        const [file] = event.dataTransfer.files;
        if (file) read(file, file.name);
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
    if (!answer.ok) throw new Error(`cannot fetch ${name}: ${answer.status}`);
    return answer.text();
}

async function launch() {
    device = await start();
    if (!device.readsDigits) tellOfPictures(at);
    const vectors = PROGRAM === "simd.wasm" ? "128-bit vectors" : "no vectors";
    at("program").textContent = `WebAssembly, ${vectors}`;
    const places = ["digit", "verdict", "seen", "time", "probabilities"].map((id) => [id, at(id)]);
    reading = new Reading(device, Object.fromEntries(places));
    showMemory(at("memory"), device);
    listen();
    show();
}

try {
    await launch();
} catch (error) {
    at("verdict").textContent = `The page cannot start: ${error.message}`;
}
try {
    await keep();
} catch {
    at("offline").textContent = isSecureContext ? "not in this browser" : "needs https";
}
