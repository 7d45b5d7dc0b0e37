// What is drawn on a panel's canvas; `matrix` leads from shares of the film to canvas pixels.

const REFERENCE = "#40ffb0";
const CONTOUR = "#ffb040";
const DRAWN = "#ffe14d";
const MEASURE = "#7de3ff";
const MAGNIFIED = 2.5;

// Film, map and outlines.
function paint(panel, context, matrix, map) {
  const { viewer } = panel;
  const { store, film } = viewer;
  const { look } = store;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = "#000";
  context.fillRect(0, 0, panel.canvas.width, panel.canvas.height);
  const across = Math.hypot(matrix.a, matrix.b);
  lay(context, film.canvasFor(across, store.window ?? WHOLE, store.inverted), matrix);
  const shared = viewer.commonTop(map);
  if (map && look.mode === "contour") {
    line(context, map.contour(look.threshold, shared), CONTOUR, matrix);
  } else if (map) {
    const scale = map.scale(look.part, shared);
    if (scale) lay(context, map.canvas(look, scale), matrix);
  }
  const blinkedAway = store.blink === "outline" && !store.blinkOn;
  for (const outline of viewer.outlines) {
    if (outline.own) line(context, outline.path, DRAWN, matrix, true);
    else if (look.outline && !blinkedAway) line(context, outline.path, REFERENCE, matrix);
  }
}

// A picture of the whole film; what lies outside the canvas is left out.
function lay(context, picture, matrix) {
  const inverse = matrix.inverse();
  const { width, height } = context.canvas;
  const corners = [[0, 0], [width, 0], [0, height], [width, height]].map(([x, y]) => through(inverse, { x, y }));
  const xs = corners.map((corner) => clamp(corner.x, 0, 1));
  const ys = corners.map((corner) => clamp(corner.y, 0, 1));
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  const [wide, tall] = [Math.max(...xs) - x, Math.max(...ys) - y];
  if (!(wide > 0 && tall > 0)) return;
  context.save();
  context.imageSmoothingEnabled = true;
  context.setTransform(matrix);
  context.drawImage(picture, x * picture.width, y * picture.height, wide * picture.width, tall * picture.height, x, y, wide, tall);
  context.restore();
}

function line(context, path, colour, matrix, dashed = false) {
  if (!path) return;
  context.save();
  const scaled = new Path2D();
  scaled.addPath(path, matrix);
  const thick = Math.max(1.6, context.canvas.width / 260);
  context.lineCap = dashed ? "butt" : "round";
  for (const [style, wide] of [["rgba(0,0,0,.65)", 2.2 * thick], [colour, thick]]) {
    context.strokeStyle = style;
    context.lineWidth = wide;
    if (dashed) context.setLineDash([4 * thick, 3 * thick]);
    context.stroke(scaled);
  }
  context.restore();
}

function crosshair(context, { x, y }) {
  context.strokeStyle = "rgba(255,255,255,.85)";
  context.lineWidth = 1;
  context.beginPath();
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    context.moveTo(x + 4 * dx, y + 4 * dy);
    context.lineTo(x + 14 * dx, y + 14 * dy);
  }
  context.stroke();
}

// A round glass at the cursor, on all panels at the same place of the film.
function magnifier(panel, context, matrix, map) {
  const { x, y } = through(matrix, panel.viewer.store.cursor);
  const radius = Math.min(90 * pixelRatio(), context.canvas.width / 4);
  const nearer = new DOMMatrix().translateSelf(x, y).scaleSelf(MAGNIFIED).translateSelf(-x, -y).multiply(matrix);
  context.save();
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.clip();
  paint(panel, context, nearer, map);
  context.restore();
  context.strokeStyle = "#fff";
  context.lineWidth = 2;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.stroke();
}

function scaleBar(panel, context, matrix) {
  const { spacing, shape } = panel.viewer.given.film;
  if (!spacing) return;
  const perMm = Math.hypot(matrix.a, matrix.b) / (spacing[1] * shape[1]);
  const length = [1, 2, 5, 10, 20, 50, 100].findLast((mm) => mm * perMm < panel.canvas.width / 3) ?? 1;
  const y = panel.canvas.height - 10;
  context.fillStyle = "rgba(0,0,0,.55)";
  context.fillRect(6, y - 18, length * perMm + 8, 24);
  context.fillStyle = "#fff";
  context.fillRect(10, y, length * perMm, 2);
  context.font = `${Math.round(11 * pixelRatio())}px sans-serif`;
  context.fillText(`${length} mm`, 10, y - 4);
}

// Words above a point of the film, with a dark halo, inside the canvas.
function label(context, words, x, y, colour) {
  context.font = `600 ${Math.round(12 * pixelRatio())}px sans-serif`;
  const wide = context.measureText(words).width;
  const left = clamp(x - wide / 2, 4, Math.max(4, context.canvas.width - wide - 4));
  const base = clamp(y, 16 * pixelRatio(), context.canvas.height - 6);
  context.lineWidth = 3 * pixelRatio();
  context.strokeStyle = "rgba(0,0,0,.8)";
  context.strokeText(words, left, base);
  context.fillStyle = colour;
  context.fillText(words, left, base);
}
