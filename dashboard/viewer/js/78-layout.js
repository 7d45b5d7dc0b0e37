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

// Columns, the widest a panel may be, and the tallest a stage may be, in CSS pixels.
function arrange(count, wide, { layout, enlarged, full, room }) {
  const most = Math.max(1, Math.floor((wide + GAP) / (NARROWEST + GAP)));
  const shape = enlarged ? { rows: 1, columns: 1 } : LAYOUTS[layout];
  if (!shape.rows && !full) {
    // As few rows as there is room for, and as even as can be: no panel hangs alone under a full row.
    const rows = Math.max(1, Math.ceil(count / most));
    return { columns: Math.max(1, Math.ceil(count / rows)), widest: WIDEST, tallest: Infinity };
  }
  const columns = Math.max(1, Math.min(shape.columns ?? Math.ceil(Math.sqrt(count)), most, count));
  const rows = full ? Math.ceil(count / columns) : 1;
  const tallest = Math.max(NARROWEST, room / rows - BELOW);
  return { columns, widest: full ? wide : Math.round(1.3 * tallest), tallest };
}
