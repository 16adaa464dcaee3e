// What the device reads, as texts, bars and a picture.

import { BLANK, NO_DIGIT } from "./device.js";

// The time is the mean of so many: some clocks go in steps of a millisecond, and a mean is right on these, too.
const TIMES = 31;

// A screen reader speaks when the pen has rested for so many milliseconds.
const REST = 250;

// What is said while nothing is drawn.
export const EMPTY = "Nothing to read yet.";

const percent = (part) => `${(100 * part).toFixed(1)}\u00a0%`;

// The clock of a page that is not isolated goes in steps of 0.1 ms or more.
const DECIMALS = globalThis.crossOriginIsolated ? 2 : 1;

export class Reading {
    #device;
    #places;
    #rows;
    #times = [];
    #timer = 0;

    // What is said while there is nothing to read.
    blank = EMPTY;

    constructor(device, places) {
        this.#device = device;
        this.#places = places;
        this.#rows = Array.from({ length: 10 }, (_, digit) => row(digit));
        places.probabilities.replaceChildren(...this.#rows.map(({ item }) => item));
    }

    show() {
        const verdict = this.#device.wasm.verdict();
        const probabilities = this.#device.probabilities();
        this.#rows.forEach((row, digit) => row.show(probabilities[digit], digit === verdict));
        this.#places.digit.textContent = verdict === BLANK ? "" : verdict === NO_DIGIT ? "×" : verdict;
        this.#places.digit.classList.toggle("rejected", verdict === NO_DIGIT);
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.say(this.#words(verdict, probabilities)), REST);
        this.#showSeen();
        if (verdict !== BLANK) this.#showTime();
    }

    say = (text) => {
        clearTimeout(this.#timer);
        if (this.#places.verdict.textContent !== text) this.#places.verdict.textContent = text;
    };

    #showSeen() {
        const { side, grey } = this.#device.seen();
        const picture = new ImageData(side, side);
        grey.forEach((level, index) => picture.data.set([level, level, level, 255], 4 * index));
        Object.assign(this.#places.seen, { width: side, height: side });
        this.#places.seen.getContext("2d").putImageData(picture, 0, 0);
    }

    #showTime() {
        this.#times = [...this.#times, this.#device.wasm.reading_micros() >>> 0].slice(-TIMES);
        const mean = this.#times.reduce((sum, time) => sum + time) / this.#times.length;
        this.#places.time.textContent = `${(mean / 1000).toFixed(DECIMALS)} ms`;
    }

    #words(verdict, probabilities) {
        if (verdict === BLANK) return this.blank;
        if (verdict === NO_DIGIT) return "This is no digit.";
        return `This is a ${verdict}, ${percent(probabilities[verdict])}.`;
    }
}

// The row of a digit.
function row(digit) {
    const item = document.createElement("li");
    const [name, meter, bar, value] = ["span", "span", "i", "span"].map((tag) => document.createElement(tag));
    name.textContent = digit;
    meter.className = "meter";
    const fixed = { role: "meter", "aria-label": digit, "aria-valuemin": 0, "aria-valuemax": 100 };
    Object.entries(fixed).forEach(([key, value]) => meter.setAttribute(key, value));
    // The meter has said it.
    [name, value].forEach((element) => element.setAttribute("aria-hidden", true));
    meter.append(bar);
    item.append(name, meter, value);
    const show = (part, chosen) => {
        meter.setAttribute("aria-valuenow", (100 * part).toFixed(1));
        meter.setAttribute("aria-valuetext", percent(part));
        bar.style.width = `${100 * part}%`;
        value.textContent = percent(part);
        item.classList.toggle("chosen", chosen);
    };
    return { item, show };
}
