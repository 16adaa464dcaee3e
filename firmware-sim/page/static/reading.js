// What the device reads, as texts, bars and a picture.

// The time is the mean of so many: some clocks go in steps of a millisecond, and a mean is right on these, too.
const TIMES = 31;

// A screen reader speaks when the pen has rested for so many milliseconds.
const REST = 250;

// So many classes have a row each; of more the likeliest ones do.
const ROWS = 10;

// The longest name, in characters, that is as large as a digit, and the widest column of names.
const LARGE = 2;
const WIDEST = 16;

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
        const { names } = device;
        this.#rows = names.slice(0, ROWS).map(row);
        places.probabilities.replaceChildren(...this.#rows.map(({ item }) => item));
        const longest = Math.max(...names.map(({ length }) => length));
        if (longest > 1) places.probabilities.style.setProperty("--name", `${Math.min(longest, WIDEST)}ch`);
        places.digit.classList.toggle("word", longest > LARGE);
    }

    show() {
        const verdict = this.#device.wasm.verdict();
        const probabilities = this.#device.probabilities();
        const { names, none, blank } = this.#device;
        shown(probabilities).forEach((index, place) =>
            this.#rows[place].show(names[index], probabilities[index], index === verdict),
        );
        this.#places.digit.textContent = verdict === blank ? "" : verdict === none ? "×" : names[verdict];
        this.#places.digit.classList.toggle("rejected", verdict === none);
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.say(this.#words(verdict, probabilities)), REST);
        this.#showSeen();
        if (verdict !== blank) this.#showTime();
    }

    say = (text) => {
        clearTimeout(this.#timer);
        if (this.#places.verdict.textContent !== text) this.#places.verdict.textContent = text;
    };

    #showSeen() {
        const { bytes, width, height } = this.#device.seen();
        const { channels } = this.#device;
        const picture = new ImageData(width, height);
        // Of a grey pixel's one byte all three colours are.
        const byte = (index) => bytes[(index >> 2) * channels + Math.min(index & 3, channels - 1)];
        picture.data.forEach((_, index, data) => (data[index] = (index & 3) === 3 ? 255 : byte(index)));
        Object.assign(this.#places.seen, { width, height });
        this.#places.seen.getContext("2d").putImageData(picture, 0, 0);
    }

    #showTime() {
        this.#times = [...this.#times, this.#device.wasm.reading_micros() >>> 0].slice(-TIMES);
        const mean = this.#times.reduce((sum, time) => sum + time) / this.#times.length;
        this.#places.time.textContent = `${(mean / 1000).toFixed(DECIMALS)} ms`;
    }

    #words(verdict, probabilities) {
        const { names, none, blank, readsDigits } = this.#device;
        if (verdict === blank) return this.blank;
        if (verdict === none) return readsDigits ? "This is no digit." : "This is none of the classes.";
        const answer = readsDigits ? `This is a ${names[verdict]}` : names[verdict];
        return `${answer}, ${percent(probabilities[verdict])}.`;
    }
}

// The classes that have a row: all, or the likeliest first.
function shown(probabilities) {
    const all = [...probabilities.keys()];
    if (all.length <= ROWS) return all;
    return all.sort((a, b) => probabilities[b] - probabilities[a]).slice(0, ROWS);
}

// The row of a class.
function row() {
    const item = document.createElement("li");
    const [name, meter, bar, value] = ["span", "span", "i", "span"].map((tag) => document.createElement(tag));
    meter.className = "meter";
    const fixed = { role: "meter", "aria-valuemin": 0, "aria-valuemax": 100 };
    Object.entries(fixed).forEach(([key, value]) => meter.setAttribute(key, value));
    // The meter has said it.
    [name, value].forEach((element) => element.setAttribute("aria-hidden", true));
    meter.append(bar);
    item.append(name, meter, value);
    const show = (called, part, chosen) => {
        name.textContent = called;
        meter.setAttribute("aria-label", called);
        meter.setAttribute("aria-valuenow", (100 * part).toFixed(1));
        meter.setAttribute("aria-valuetext", percent(part));
        bar.style.width = `${100 * part}%`;
        value.textContent = percent(part);
        item.classList.toggle("chosen", chosen);
    };
    return { item, show };
}
