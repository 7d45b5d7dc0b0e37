// Which panels are shown, in how many columns, and how tall.

const NARROWEST = 210;
const WIDEST = 560;
const GAP = 12;
const BELOW = 120; // title, readout, colour bar and note, in CSS pixels
const LAYOUTS = {
  auto: { words: "All" }, "1x1": { words: "1 × 1", rows: 1, columns: 1 }, "1x2": { words: "1 × 2", rows: 1, columns: 2 },
  "2x2": { words: "2 × 2", rows: 2, columns: 2 }, "2x3": { words: "2 × 3", rows: 2, columns: 3 },
};

// Ids of the panels shown, from panel number `first` on.
function shownOf(ids, { layout, enlarged, first }) {
  if (enlarged && ids.includes(enlarged)) return [enlarged];
  const { rows, columns } = LAYOUTS[layout];
  return rows ? ids.slice(first, first + rows * columns) : ids;
}

// Columns, the widest a panel may be, and the tallest a stage may be, in CSS pixels; `aspect` is a stage's height over width.
function arrange(count, wide, { layout, enlarged, full, room, aspect }) {
  const most = Math.max(1, Math.floor((wide + GAP) / (NARROWEST + GAP)));
  const shape = enlarged ? { rows: 1, columns: 1 } : LAYOUTS[layout];
  if (full) return filling(count, wide, shape.columns, room, aspect);
  if (!shape.rows) {
    // As few rows as there is room for, and as even as can be: no panel hangs alone under a full row.
    const rows = Math.max(1, Math.ceil(count / most));
    return { columns: Math.max(1, Math.ceil(count / rows)), widest: WIDEST, tallest: Infinity };
  }
  const tallest = Math.max(NARROWEST, room - BELOW);
  return { columns: Math.max(1, Math.min(shape.columns, most, count)), widest: Math.round(1.3 * tallest), tallest };
}

// All panels on one screen, as large as they can be; in `columns` columns where that is given.
function filling(count, wide, columns, room, aspect) {
  const choices = columns ? [Math.min(columns, count)] : Array.from({ length: count }, (_, i) => i + 1);
  const made = choices.map((one) => {
    const tallest = Math.max(80, room / Math.ceil(count / one) - GAP - BELOW);
    const widest = Math.min((wide - (one - 1) * GAP) / one, tallest / aspect);
    return { columns: one, widest, tallest };
  });
  return made.reduce((best, one) => (one.widest > best.widest ? one : best));
}
