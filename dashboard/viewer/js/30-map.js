// One explanation: raw values, their colours, and lines of equal value.

const CONTOUR_SHARE = 0.1;
const MOST_SEGMENTS = 9000;

class HeatMap {
  constructor(pixels, { low, high, top, signedTop }, colours, unit) {
    Object.assign(this, pixels);
    this.low = low;
    this.span = high - low;
    this.top = top;
    this.signedTop = signedTop;
    this.colours = colours;
    this.unit = unit;
    this.raw = new Float32Array(this.values.length);
    for (let i = 0; i < this.raw.length; i++) this.raw[i] = low + (this.span * this.values[i]) / 65535;
    this.signature = "";
    this.contourSignature = "";
  }

  valueAt(x, y) {
    const column = clamp(Math.floor(x * this.width), 0, this.width - 1);
    const row = clamp(Math.floor(y * this.height), 0, this.height - 1);
    return this.raw[row * this.width + column];
  }

  topOf(part) {
    return part === "signed" ? this.signedTop : this.top;
  }

  // Raw values at the ends of the colour bar, which ends at `shared` where given; null where there is nothing to colour.
  scale(part, shared) {
    if (!(this.topOf(part) > 0)) return null;
    const top = shared ?? this.topOf(part);
    return { low: part === "signed" ? -top : 0, high: top, colours: this.colours[part] };
  }

  // Colours with opacity under a scale.
  canvas({ mode, part, opacity, threshold }, scale) {
    const signature = `${mode} ${part} ${opacity} ${threshold} ${scale.high}`;
    if (this.signature !== signature) {
      this.signature = signature;
      this.drawn ??= new OffscreenCanvas(this.width, this.height);
      this.image ??= new ImageData(this.width, this.height);
      this.paint(scale, mode === "map", opacity, threshold);
      this.drawn.getContext("2d").putImageData(this.image, 0, 0);
    }
    return this.drawn;
  }

  paint({ low, high, colours }, bare, opacity, threshold) {
    const out = new Uint32Array(this.image.data.buffer);
    const factor = 255 / (high - low);
    for (let i = 0; i < out.length; i++) {
      const value = this.raw[i];
      const strength = clamp((low < 0 ? Math.abs(value) : value) / high, 0, 1);
      const shown = strength >= threshold;
      const alpha = bare ? (shown ? 255 : 40) : shown ? Math.round(255 * opacity * Math.sqrt(strength)) : 0;
      out[i] = (alpha << 24) | colours[clamp(Math.round((value - low) * factor), 0, 255)];
    }
  }

  // Path around what is above the threshold, or around the map's top tenth of the film; in shares of the film.
  contour(threshold, shared) {
    const scale = this.scale("positive", shared);
    if (!scale) return null;
    const signature = `${threshold} ${scale.high}`;
    if (this.contourSignature !== signature) {
      this.contourSignature = signature;
      const level = threshold > 0 ? threshold * scale.high : Math.max(this.quantile(1 - CONTOUR_SHARE), scale.high / 1000);
      this.outline = pathOf(this.raw, this.width, this.height, level);
    }
    return this.outline;
  }

  quantile(share) {
    const sorted = Float32Array.from(this.raw).sort();
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  }
}

// Line segments of the level set of (height, width) values by marching squares, in pixels, centres at .5.
function segments(values, width, height, level) {
  const out = [];
  const at = (a, b) => (level - a) / (b - a);
  for (let y = 0; y + 1 < height; y++) {
    for (let x = 0; x + 1 < width; x++) {
      const i = y * width + x;
      const a = values[i];
      const b = values[i + 1];
      const c = values[i + width + 1];
      const d = values[i + width];
      const kind = (a >= level) | ((b >= level) << 1) | ((c >= level) << 2) | ((d >= level) << 3);
      if (kind === 0 || kind === 15) continue;
      const north = () => [x + at(a, b) + 0.5, y + 0.5];
      const east = () => [x + 1.5, y + at(b, c) + 0.5];
      const south = () => [x + at(d, c) + 0.5, y + 1.5];
      const west = () => [x + 0.5, y + at(a, d) + 0.5];
      for (const [from, to] of SIDES[kind]) out.push([...{ north, east, south, west }[from](), ...{ north, east, south, west }[to]()]);
    }
  }
  return out;
}

const SIDES = {
  1: [["west", "north"]], 2: [["north", "east"]], 3: [["west", "east"]], 4: [["east", "south"]],
  5: [["west", "north"], ["east", "south"]], 6: [["north", "south"]], 7: [["west", "south"]],
  8: [["south", "west"]], 9: [["north", "south"]], 10: [["north", "east"], ["south", "west"]],
  11: [["east", "south"]], 12: [["west", "east"]], 13: [["north", "east"]], 14: [["west", "north"]],
};

// A path in shares of the film. A ragged map has far too many lines to draw each frame: the path is then thinned.
function pathOf(values, width, height, level) {
  let grid = { values, width, height };
  let found = segments(values, width, height, level);
  while (found.length > MOST_SEGMENTS && grid.width > 64) {
    grid = halvedFloats(grid);
    found = segments(grid.values, grid.width, grid.height, level);
  }
  const path = new Path2D();
  for (const points of chained(found)) {
    points.forEach(([x, y], i) => path[i ? "lineTo" : "moveTo"](x / grid.width, y / grid.height));
  }
  return path;
}

// Segments joined end to end, so that a line can be dashed.
function chained(found) {
  const ends = new Map();
  found.forEach(([x0, y0, x1, y1], i) => {
    for (const key of [`${x0} ${y0}`, `${x1} ${y1}`]) ends.set(key, [...(ends.get(key) ?? []), i]);
  });
  const used = new Uint8Array(found.length);
  const grow = (points, at) => {
    for (;;) {
      const next = ends.get(`${at[0]} ${at[1]}`).find((i) => !used[i]);
      if (next === undefined) return points;
      used[next] = 1;
      const [x0, y0, x1, y1] = found[next];
      at = x0 === at[0] && y0 === at[1] ? [x1, y1] : [x0, y0];
      points.push(at);
    }
  };
  const lines = [];
  found.forEach(([x0, y0, x1, y1], i) => {
    if (used[i]) return;
    used[i] = 1;
    const back = grow([[x0, y0]], [x0, y0]).reverse();
    lines.push(grow([...back, [x1, y1]], [x1, y1]));
  });
  return lines;
}

function halvedFloats({ width, height, values }) {
  const w = width >> 1;
  const h = height >> 1;
  const out = new Float32Array(w * h);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const from = 2 * y * width + 2 * x;
      out[y * w + x] = (values[from] + values[from + 1] + values[from + width] + values[from + width + 1]) / 4;
    }
  }
  return { width: w, height: h, values: out };
}

// 256 colours as 0x00BBGGRR, from 768 bytes in base64.
function colourTable(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return Uint32Array.from({ length: 256 }, (_, i) => bytes[3 * i] | (bytes[3 * i + 1] << 8) | (bytes[3 * i + 2] << 16));
}
