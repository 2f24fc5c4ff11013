// QR codes (ISO/IEC 18004) as SVG: a text as bytes, correction level L, mask 0. Mask 0 is always used,
// because any mask can be read; the standard's choice between eight of them is about poor prints.

import { h } from "../../vendor/preact.mjs";

/** For versions 1 to 20: codewords of correction in a block, and blocks. Table 9 of the standard. */
const CORRECTION = [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28];
const BLOCKS = [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8];
/** Level L and mask 0 with their checksum, masked. Annex C of the standard. */
const FORMAT = 0b111011111000100;
/** Light modules around the code. The standard's other three are the padding of `.qr`. */
const MARGIN = 1;

/** @typedef {{version: number, size: number, dark: boolean[][], fixed: boolean[][]}} Code */

/**
 * @param {{text: string, label: string}} props
 *   nothing is shown for a `text` of more than 858 bytes in UTF-8
 */
export function QrCode({ text, label }) {
  const dark = modules(text);
  if (!dark) return null;
  const d = dark.flatMap((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  const side = dark.length + 2 * MARGIN;
  const viewBox = `${-MARGIN} ${-MARGIN} ${side} ${side}`;
  return h(
    "svg",
    { class: "qr", viewBox, role: "img", "aria-label": label, "shape-rendering": "crispEdges" },
    h("path", { d }),
  );
}

/**
 * The rows of the code's modules, and whether each is dark; null when the text is too long.
 * @param {string} text
 */
function modules(text) {
  const bytes = [...new TextEncoder().encode(text)];
  const version = CORRECTION.findIndex((_, index) => bytes.length + (index < 9 ? 2 : 3) <= room(index + 1)) + 1;
  if (version === 0) return null;
  const size = 17 + 4 * version;
  const grid = () => Array.from({ length: size }, () => Array(size).fill(false));
  /** @type {Code} */
  const code = { version, size, dark: grid(), fixed: grid() };
  drawPatterns(code);
  drawData(code, interleaved(bytes, version));
  return code.dark;
}

/** Codewords of data and correction. @param {number} version */
function codewords(version) {
  const side = 17 + 4 * version;
  const [finders, timing, format] = [3 * 64, 2 * (side - 16), 31];
  const across = version > 1 ? Math.floor(version / 7) + 2 : 0;
  const alignment = across > 0 ? 25 * (across * across - 3) - 10 * (across - 2) : 0;
  const versions = version >= 7 ? 36 : 0;
  return Math.floor((side * side - finders - timing - format - alignment - versions) / 8);
}

/** Codewords of data. @param {number} version */
function room(version) {
  return codewords(version) - (CORRECTION[version - 1] ?? 0) * (BLOCKS[version - 1] ?? 0);
}

/**
 * The codewords as they are drawn: those of data, then those of correction, each block in turn.
 * @param {number[]} bytes
 * @param {number} version
 */
function interleaved(bytes, version) {
  const bits = [0, 1, 0, 0]; // bytes follow
  const put = (/** @type {number} */ value, /** @type {number} */ length) => {
    for (let bit = length - 1; bit >= 0; bit -= 1) bits.push((value >> bit) & 1);
  };
  put(bytes.length, version < 10 ? 8 : 16);
  for (const byte of bytes) put(byte, 8);
  put(0, Math.min(4, room(version) * 8 - bits.length));
  while (bits.length % 8 > 0) bits.push(0);
  /** @type {number[]} */
  const data = [];
  for (let at = 0; at < bits.length; at += 8) data.push(parseInt(bits.slice(at, at + 8).join(""), 2));
  for (let pad = 0xec; data.length < room(version); pad ^= 0xec ^ 0x11) data.push(pad);

  const count = BLOCKS[version - 1] ?? 1;
  const short = Math.floor(data.length / count);
  const longer = data.length % count;
  const blocks = Array.from({ length: count }, (_, index) => {
    const length = short + (index < count - longer ? 0 : 1);
    return data.splice(0, length);
  });
  const corrections = blocks.map((block) => correction(block, CORRECTION[version - 1] ?? 0));
  const turns = (/** @type {number[][]} */ of) =>
    Array.from({ length: Math.max(...of.map((it) => it.length)) }, (_, at) =>
      of.flatMap((it) => (at < it.length ? [it[at] ?? 0] : [])),
    ).flat();
  return [...turns(blocks), ...turns(corrections)];
}

/** A product in the field of 256 elements over x^8 + x^4 + x^3 + x^2 + 1. @param {number} a @param {number} b */
function times(a, b) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ ((product >> 7) * 0x11d);
    product ^= ((b >> bit) & 1) * a;
  }
  return product;
}

/** The Reed-Solomon codewords of a block. @param {number[]} block @param {number} length */
function correction(block, length) {
  let generator = [1];
  for (let degree = 0, root = 1; degree < length; degree += 1, root = times(root, 2)) {
    const shifted = [...generator, 0];
    generator = shifted.map((term, at) => term ^ (at > 0 ? times(generator[at - 1] ?? 0, root) : 0));
  }
  let rest = Array(length).fill(0);
  for (const byte of block) {
    const factor = byte ^ (rest[0] ?? 0);
    rest = [...rest.slice(1), 0].map((term, at) => term ^ times(generator[at + 1] ?? 0, factor));
  }
  return rest;
}

/** @param {Code} code */
function drawPatterns({ version, size, dark, fixed }) {
  const set = (/** @type {number} */ x, /** @type {number} */ y, /** @type {boolean} */ on) => {
    const [row, fixedRow] = [dark[y], fixed[y]];
    if (!row || !fixedRow || x < 0 || x >= size) return;
    row[x] = on;
    fixedRow[x] = true;
  };
  for (let at = 0; at < size; at += 1) {
    set(6, at, at % 2 === 0);
    set(at, 6, at % 2 === 0);
  }
  /** Squares around a middle; `light` has the distances that are light. */
  const squares = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ reach, /** @type {number[]} */ light) => {
    for (let dy = -reach; dy <= reach; dy += 1)
      for (let dx = -reach; dx <= reach; dx += 1)
        set(x + dx, y + dy, !light.includes(Math.max(Math.abs(dx), Math.abs(dy))));
  };
  const last = size - 4;
  for (const [x = 0, y = 0] of [[3, 3], [last, 3], [3, last]]) squares(x, y, 4, [2, 4]);

  const places = alignments(version, size);
  const end = places.length - 1;
  places.forEach((x, i) =>
    places.forEach((y, j) => {
      const finder = (i === 0 && j === 0) || (i === 0 && j === end) || (i === end && j === 0);
      if (!finder) squares(x, y, 2, [1]);
    }),
  );

  for (let bit = 0; bit < 15; bit += 1) {
    const on = ((FORMAT >> bit) & 1) === 1;
    // Around the upper left finder the timing patterns are passed over.
    const far = bit < 6 ? bit : bit + 1;
    if (bit < 8) set(8, far, on);
    else set(bit === 8 ? 7 : 14 - bit, 8, on);
    if (bit < 8) set(size - 1 - bit, 8, on);
    else set(8, size - 15 + bit, on);
  }
  set(8, size - 8, true);

  if (version < 7) return;
  let rest = version;
  for (let step = 0; step < 12; step += 1) rest = (rest << 1) ^ ((rest >> 11) * 0x1f25);
  const bits = (version << 12) | rest;
  for (let bit = 0; bit < 18; bit += 1) {
    const [long, short] = [Math.floor(bit / 3), size - 11 + (bit % 3)];
    set(long, short, ((bits >> bit) & 1) === 1);
    set(short, long, ((bits >> bit) & 1) === 1);
  }
}

/** Where alignment patterns have their middles, across and down. @param {number} version @param {number} size */
function alignments(version, size) {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = 2 * Math.floor((version * 8 + count * 3 + 5) / (count * 4 - 4));
  return [6, ...Array.from({ length: count - 1 }, (_, at) => size - 7 - (count - 2 - at) * step)];
}

/** The codewords, upwards and downwards in columns of two from the right, and the mask. @param {Code} code @param {number[]} words */
function drawData({ size, dark, fixed }, words) {
  let bit = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5; // the timing pattern has this column
    for (let step = 0; step < size; step += 1) {
      const upwards = ((right + 1) & 2) === 0;
      const y = upwards ? size - 1 - step : step;
      for (const x of [right, right - 1]) {
        const row = dark[y];
        if (!row || fixed[y]?.[x]) continue;
        const on = ((words[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1;
        row[x] = (on === 1) !== ((x + y) % 2 === 0);
        bit += 1;
      }
    }
  }
}
