// Pictures of any kind as the bytes that the device reads.

import { LONGEST } from "./device.js";

// Scales a file, or what a video shows, so that it fits the device; transparent pixels show white paper, or black paper where
// all is white on it. As `runtime run` does it. The bytes are grey, or of 3 channels red, green and blue.
export async function pixels(source, channels) {
    const bitmap = await createImageBitmap(source);
    try {
        const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
        const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
        const onWhite = onPaper(bitmap, width, height, "white");
        const nothing = grey(onWhite).every((level) => level > 240);
        const data = nothing ? onPaper(bitmap, width, height, "black") : onWhite;
        return { bytes: channels === 1 ? grey(data) : rgb(data), width, height };
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
    return context.getImageData(0, 0, width, height).data;
}

// Of red, green, blue and opacity: luma by ITU-R Rec. 601.
function grey(data) {
    const luma = (at) => (77 * data[at] + 150 * data[at + 1] + 29 * data[at + 2] + 128) >> 8;
    return Uint8Array.from({ length: data.length / 4 }, (_, index) => luma(4 * index));
}

const rgb = (data) => data.filter((_, index) => index % 4 !== 3);

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
