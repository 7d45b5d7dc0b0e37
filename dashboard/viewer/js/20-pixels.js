// Films and maps arrive as PNG whose red and green bytes are the high and low byte of a 16-bit value.

const decoded = new Map();

async function fetchPixels(url) {
  if (!decoded.has(url)) {
    if (decoded.size > 24) decoded.delete(decoded.keys().next().value);
    decoded.set(url, readPixels(url));
    decoded.get(url).catch(() => decoded.delete(url));
  }
  return decoded.get(url);
}

async function readPixels(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the picture could not be loaded (${answer.status})`);
  const options = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
  const bitmap = await createImageBitmap(await answer.blob(), options);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const bytes = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
  const values = new Uint16Array(bitmap.width * bitmap.height);
  for (let i = 0, at = 0; i < values.length; i++, at += 4) values[i] = (bytes[at] << 8) | bytes[at + 1];
  return { width: bitmap.width, height: bitmap.height, values };
}

// Half the size, each pixel the mean of four.
function halved({ width, height, values }) {
  const w = width >> 1;
  const h = height >> 1;
  const out = new Uint16Array(w * h);
  for (let y = 0; y < h; y++) {
    let from = 2 * y * width;
    for (let x = 0, to = y * w; x < w; x++, to++, from += 2) {
      out[to] = (values[from] + values[from + 1] + values[from + width] + values[from + width + 1] + 2) >> 2;
    }
  }
  return { width: w, height: h, values: out };
}

// A film at several sizes; each is turned into greys only when it is looked at under a new window.
class Film {
  constructor(pixels) {
    this.width = pixels.width;
    this.height = pixels.height;
    this.levels = [{ ...pixels, canvas: null, signature: "" }];
    while (Math.max(this.levels.at(-1).width, this.levels.at(-1).height) > 320) {
      this.levels.push({ ...halved(this.levels.at(-1)), canvas: null, signature: "" });
    }
    this.table = new Uint32Array(65536);
    this.tableSignature = "";
  }

  // 0 to 1, at a place in shares of the film.
  valueAt(x, y) {
    const column = clamp(Math.floor(x * this.width), 0, this.width - 1);
    const row = clamp(Math.floor(y * this.height), 0, this.height - 1);
    return this.levels[0].values[row * this.width + column] / 65535;
  }

  // The smallest canvas that still has a pixel for each of `pixels` screen pixels across the film.
  canvasFor(pixels, [low, high], inverted) {
    const level = this.levels.findLast((l) => l.width >= pixels) ?? this.levels[0];
    const signature = `${low} ${high} ${inverted}`;
    if (level.signature !== signature) {
      this.fillTable(low, high, inverted, signature);
      level.canvas ??= new OffscreenCanvas(level.width, level.height);
      level.image ??= new ImageData(level.width, level.height);
      const out = new Uint32Array(level.image.data.buffer);
      const { values } = level;
      const { table } = this;
      for (let i = 0; i < out.length; i++) out[i] = table[values[i]];
      level.canvas.getContext("2d").putImageData(level.image, 0, 0);
      level.signature = signature;
    }
    return level.canvas;
  }

  fillTable(low, high, inverted, signature) {
    if (this.tableSignature === signature) return;
    const from = low * 65535;
    const scale = 255 / Math.max((high - low) * 65535, 1);
    for (let v = 0; v < 65536; v++) {
      let grey = clamp(Math.round((v - from) * scale), 0, 255);
      if (inverted) grey = 255 - grey;
      this.table[v] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
    }
    this.tableSignature = signature;
  }
}
