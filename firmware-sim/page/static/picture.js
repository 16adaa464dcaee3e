// Pictures of any kind as the grey bytes that the device reads.

import { LONGEST } from "./device.js";

// Scales a file, or what a video shows, so that it fits the device; transparent pixels show white paper, or black paper where
// all is white on it. As `runtime run` does it.
export async function grey(source) {
    const bitmap = await createImageBitmap(source);
    try {
        const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
        const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
        const onWhite = onPaper(bitmap, width, height, "white");
        const nothing = onWhite.pixels.every((level) => level > 240);
        return nothing ? onPaper(bitmap, width, height, "black") : onWhite;
    } finally {
        // A large photo is 200 MB until then.
        bitmap.close();
    }
}

function onPaper(bitmap, width, height, paper) {
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.fillStyle = paper;
    context.fillRect(0, 0, width, height);
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    // Luma by ITU-R Rec. 601.
    const luma = (at) => (77 * data[at] + 150 * data[at + 1] + 29 * data[at + 2] + 128) >> 8;
    return { pixels: Uint8Array.from({ length: width * height }, (_, index) => luma(4 * index)), width, height };
}

// Shows what the camera sees until a picture is taken or the dialog is closed.
export async function fromCamera(dialog, video, read, say) {
    let stream;
    try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch (error) {
        say(`No camera: ${error.message}`);
        return;
    }
    try {
        video.srcObject = stream;
        dialog.returnValue = "";
        const closed = new Promise((close) => dialog.addEventListener("close", close, { once: true }));
        dialog.showModal();
        // It may be closed before there is a first frame.
        await Promise.race([video.play(), closed]);
        await closed;
        if (dialog.returnValue === "take") await read(video, "what the camera saw");
    } catch (error) {
        dialog.close();
        say(`No camera: ${error.message}`);
    } finally {
        stream.getTracks().forEach((track) => track.stop());
        video.srcObject = null;
    }
}
