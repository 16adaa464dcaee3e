// What lies in a microcontroller's flash and memory: a bar each, and the numbers as a table.

export function showMemory(place, { wasm }) {
    const [operators, weights, tests] = [wasm.operators_len(), wasm.weights_len(), wasm.test_vectors_len()];
    const rest = wasm.image_len() - operators - weights - tests;
    const flash = [
        ["weights", weights],
        ["operators", operators],
        ["test vectors", tests],
        ["other sections", rest],
    ];
    const memory = [
        ["arena", wasm.arena_len()],
        ["app and sheet", wasm.app_len()],
        ["input", wasm.input_len()],
    ];
    place.replaceChildren(table("Model image, in flash", flash), table("Memory", memory));
}

function table(title, parts) {
    const total = parts.reduce((sum, [, bytes]) => sum + bytes, 0);
    const table = element("table");
    const caption = element("caption");
    const bar = element("div", { className: "bar" });
    bar.append(...parts.map(([, bytes], index) => piece(index, bytes)));
    caption.append(`${title}: ${count(total)}`, bar);
    const body = element("tbody");
    body.append(...parts.map(([name, bytes], index) => line(index, name, bytes)));
    table.append(caption, body);
    return table;
}

function piece(index, bytes) {
    const piece = element("i", { className: `part${index}` });
    piece.style.flexGrow = bytes;
    return piece;
}

function line(index, name, bytes) {
    const line = element("tr");
    const head = element("th", { scope: "row" });
    head.append(element("i", { className: `part${index}` }), name);
    line.append(head, element("td", { textContent: count(bytes) }));
    return line;
}

const count = (bytes) => `${bytes.toLocaleString("en")} bytes`;

const element = (tag, properties = {}) => Object.assign(document.createElement(tag), properties);
