// The chain of a link's receipts: each has the hash of the one before it. docs/api.md describes it.

import { digest } from "./format.mjs";

/**
 * @typedef {import("./contract.d.ts").Receipt} Receipt
 * @typedef {{text: string, hash: string, receipt: Receipt | null}} Sealed
 *   `receipt` is what `text` says, where it can be read
 */

/**
 * The receipts in an answer of `receipt_list`, each with its very text, which is what was hashed. No
 * string of JSON holds a quotation mark as it stands here.
 * @param {Response} response
 * @returns {Promise<Sealed[]>}
 */
export async function receiptsIn(response) {
  const found = (await response.text()).matchAll(/\{"receipt":(.*?),"hash":"(\w{64})"\}/gs);
  return [...found].map(([, text = "", hash = ""]) => ({ text, hash, receipt: read(text) }));
}

/** @param {string} text @returns {Receipt | null} */
function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * The number of the first receipt that is not there or not as it was written; 0 when there is none.
 * @param {Sealed[]} chain all receipts of one link
 */
export async function brokenAt(chain) {
  const link = chain[0]?.receipt?.link;
  const digests = await Promise.all(chain.map(({ text }) => digest(new Blob([text]))));
  let before = null;
  // The text of the first one is another than was hashed when its maker's account is deleted. The
  // receipt of the deletion has its digest then.
  let first = chain[0]?.hash;
  for (const [at, { hash, receipt }] of chain.entries()) {
    if (at > 0 && digests[at] !== hash) return at + 1;
    if (receipt?.number !== at + 1 || receipt.link !== link) return at + 1;
    if (receipt.previous !== before) return Math.max(1, at);
    if (receipt.event === "erased") first = receipt.first;
    before = hash;
  }
  return digests[0] === first ? 0 : 1;
}
