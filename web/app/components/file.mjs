// How a file appears in lists.

import { h } from "../../vendor/preact.mjs";
import { capital, day, extension, wholeMoment } from "../format.mjs";
import { texts } from "../texts.mjs";
import { CopyButton } from "./button.mjs";

/**
 * The kind of a file, by its name.
 * @param {{filename: string}} props
 */
export function FileKind({ filename }) {
  return h("span", { class: "ft", "aria-hidden": "true" }, extension(filename));
}

/**
 * A moment as people say it, with the whole of it on hover.
 * @param {{at: string, capitalized?: boolean}} props
 */
export function Time({ at, capitalized = false }) {
  const text = capitalized ? capital(day(at)) : day(at);
  return h("time", { dateTime: at, title: wholeMoment(at) }, text);
}

/**
 * A digest in groups of eight.
 * @param {{digest: string}} props
 */
export function Digest({ digest }) {
  const groups = digest.match(/.{1,8}/g) ?? [];
  return h(
    "span",
    { class: "dig-row" },
    h("span", { class: "dig" }, groups.map((group) => h("span", null, group))),
    h(CopyButton, { text: digest }, texts.files.copyDigest, h("span", { class: "vh" }, texts.files.ofDigest)),
  );
}
