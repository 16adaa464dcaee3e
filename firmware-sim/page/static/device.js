// The device app: its program and model are fetched, its functions get the types of JavaScript.

// A module whose one function has a vector: what a browser without vectors does not take.
const VECTORS = Uint8Array.of(
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
);

// The program for this browser.
export const PROGRAM = WebAssembly.validate(VECTORS) ? "simd.wasm" : "plain.wasm";

export const WIDTH = 320;
export const HEIGHT = 240;

// The longer side of the largest picture, in pixels.
export const LONGEST = 512;

const STATUS = ["ready", "was started before", "the display does not fit", "the model is damaged", "the model has no recipe or no probabilities"];

async function bytes(name) {
    const answer = await fetch(name);
    if (!answer.ok) throw new Error(`cannot fetch ${name}: ${answer.status}`);
    return new Uint8Array(await answer.arrayBuffer());
}

// A device that has been started.
export async function start(program = PROGRAM) {
    const [code, model] = await Promise.all([bytes(program), bytes("model.edge8")]);
    const clock = { micros: () => performance.now() * 1000 };
    const { instance } = await WebAssembly.instantiate(code, { page: clock });
    const wasm = instance.exports;
    const memory = (at, len) => new Uint8Array(wasm.memory.buffer, at, len);
    if (model.length !== wasm.image_len()) throw new Error("the model is not the program's");
    memory(wasm.image(), model.length).set(model);
    const status = wasm.start(WIDTH, HEIGHT);
    if (status !== 0) throw new Error(`the device does not start: ${STATUS[status]}`);

    const names = Array.from({ length: wasm.classes() }, (_, index) => {
        const length = wasm.name(index);
        return new TextDecoder().decode(memory(wasm.buffer(), length));
    });
    const display = new Uint8ClampedArray(wasm.memory.buffer, wasm.pixels(), WIDTH * HEIGHT * 4);
    return {
        wasm,
        codeLength: code.length,
        // The classes, and what `verdict` says beside them.
        names,
        none: names.length,
        blank: names.length + 1,
        readsDigits: wasm.reads_digits() !== 0,
        channels: wasm.channels(),
        image: new ImageData(display, WIDTH, HEIGHT),

        // The events of a script of strokes, a step after each; a pause between them for what `after` waits for.
        async replay(script, after) {
            const text = new TextEncoder().encode(script).subarray(0, wasm.buffer_len());
            memory(wasm.buffer(), text.length).set(text);
            for (let index = 0; wasm.replay(text.length, index) !== 0; index++) {
                wasm.step();
                if (await after?.()) break;
            }
        },

        // Reads a picture of as many bytes a pixel as the device has channels.
        read(bytes, width, height) {
            if (bytes.length > wasm.buffer_len()) throw new Error(`${width}x${height} pixels are too many`);
            memory(wasm.buffer(), bytes.length).set(bytes);
            wasm.read(width, height);
        },

        // The probabilities of all classes, from 0 to 1.
        probabilities: () => names.map((_, index) => wasm.probability(index) / 256),

        // What the network saw, `channels` bytes a pixel.
        seen() {
            const [width, height] = [wasm.seen_width(), wasm.seen_height()];
            return { bytes: memory(wasm.seen(), width * height * wasm.channels()), width, height };
        },

        hash: () => (wasm.hash_of_layers() >>> 0).toString(16).padStart(8, "0"),
    };
}
