// Signs, drawn in a square of 16.

import { h } from "../../vendor/preact.mjs";

/** @type {Record<string, [string, boolean?][]>} a path, and whether it is filled */
const ICONS = {
  alert: [["M8 2.25 14.5 13.5h-13zM8 6.5v3.25"], ["M7.25 11.5a.75.75 0 1 0 1.5 0 .75.75 0 1 0-1.5 0", true]],
  clock: [["M2 8a6 6 0 1 0 12 0A6 6 0 1 0 2 8M8 4.75V8l2.25 1.5"]],
  copy: [["M7 5.5h5a1.5 1.5 0 0 1 1.5 1.5v5a1.5 1.5 0 0 1-1.5 1.5H7A1.5 1.5 0 0 1 5.5 12V7A1.5 1.5 0 0 1 7 5.5zM10.5 5.5V4A1.5 1.5 0 0 0 9 2.5H4A1.5 1.5 0 0 0 2.5 4v5A1.5 1.5 0 0 0 4 10.5h1.5"]],
  dot: [["M3 8a5 5 0 1 0 10 0A5 5 0 1 0 3 8", true]],
  down: [["m4 6 4 4 4-4"]],
  download: [["M8 2.5v7.75M4.75 7.25 8 10.5l3.25-3.25M2.5 10.5v2a1 1 0 0 0 1 1h9a1 1 0 0 0 1-1v-2"]],
  info: [["M2 8a6 6 0 1 0 12 0A6 6 0 1 0 2 8M8 7.5V11"], ["M7.25 5a.75.75 0 1 0 1.5 0 .75.75 0 1 0-1.5 0", true]],
  laptop: [["M4 3.5h8a1 1 0 0 1 1 1v5a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1v-5a1 1 0 0 1 1-1zM1.5 12.75h13"]],
  mail: [["M3 3.5h10a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1zM2.5 4.5 8 9l5.5-4.5"]],
  ok: [["M2 8a6 6 0 1 0 12 0A6 6 0 1 0 2 8M5.5 8.25 7.25 10l3.25-3.75"]],
  pause: [["M6 3.5v9M10 3.5v9"]],
  play: [["m5 3.5 7 4.5-7 4.5z"]],
  phone: [["M6 1.75h4a1.5 1.5 0 0 1 1.5 1.5v9.5a1.5 1.5 0 0 1-1.5 1.5H6a1.5 1.5 0 0 1-1.5-1.5v-9.5A1.5 1.5 0 0 1 6 1.75zM7.25 11.75h1.5"]],
  retry: [["M13 8a5 5 0 1 1-1.5-3.55L13 6M13 2.75V6H9.75"]],
  right: [["m6 4 4 4-4 4"]],
  search: [["M2.5 7a4.5 4.5 0 1 0 9 0 4.5 4.5 0 1 0-9 0M10.5 10.5l3.25 3.25"]],
  slash: [["M2 8a6 6 0 1 0 12 0A6 6 0 1 0 2 8M3.9 12.1l8.2-8.2"]],
  sort: [["M8 3v10M4.5 9.5 8 13l3.5-3.5"]],
  sortUp: [["M8 13V3M4.5 6.5 8 3l3.5 3.5"]],
  ring: [["M3 8a5 5 0 1 0 10 0A5 5 0 1 0 3 8"]],
  shield: [["M8 2 13 4v4c0 3-2.1 5-5 6-2.9-1-5-3-5-6V4zM5.75 8l1.5 1.5 3-3"]],
  up: [["M8 10.5V2.75M4.75 5.75 8 2.5l3.25 3.25M2.5 10.5v2a1 1 0 0 0 1 1h9a1 1 0 0 0 1-1v-2"]],
  x: [["m4 4 8 8M12 4l-8 8"]],
};

/**
 * A sign beside a word that says the same.
 * @param {{name: string, class?: string}} props
 */
export function Icon({ name, class: more = "" }) {
  const paths = (ICONS[name] ?? []).map(([d, filled]) => h("path", { d, class: filled ? "f" : "" }));
  return h("svg", { class: `i ${more}`, viewBox: "0 0 16 16", "aria-hidden": "true" }, paths);
}

/** The mark of the product. */
export function Mark() {
  return h(
    "svg",
    { viewBox: "0 0 24 24", "aria-hidden": "true" },
    h("rect", { class: "mark-a", width: 24, height: 24, rx: 5 }),
    h("path", {
      class: "mark-b",
      d: "M6.5 5h11A1.5 1.5 0 0 1 19 6.5V13H5V6.5A1.5 1.5 0 0 1 6.5 5zM5 15h14v2.5a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 5 17.5z",
    }),
  );
}
