// What the page says where the model reads pictures of any kind; as it is written it says it of digits.

const READS = "The network of a microcontroller reads your picture. Nothing leaves this device.";
const DISPLAY = "The device's display: a sheet to draw on with a finger, a pen or a mouse";

export function tellOfPictures(at) {
    document.title = "edge8 reads pictures";
    document.querySelector("header p").textContent = READS;
    at("hint").textContent = "Draw, or drop a picture anywhere.";
    at("display").setAttribute("aria-label", DISPLAY);
    at("file").setAttribute("aria-label", "A picture");
    at("probabilities").setAttribute("aria-label", "Probabilities of the classes");
    // The examples are digits.
    at("example").hidden = true;
}
