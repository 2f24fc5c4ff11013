// What stands where a problem is, with the way out as its button.

import { h } from "../../vendor/preact.mjs";
import { OFFLINE } from "../api.mjs";
import { texts } from "../texts.mjs";
import { Button, CopyButton } from "./button.mjs";
import { Icon } from "./icon.mjs";

/** @typedef {import("../api.mjs").Problem} Problem */

/**
 * @param {{kind: "info" | "warn" | "bad" | "ok", title?: string,
 *   children?: import("preact").ComponentChildren}} props
 */
export function Note({ kind, title, children }) {
  const icon = { info: "info", warn: "alert", bad: "alert", ok: "ok" }[kind];
  const role = kind === "bad" ? "alert" : "status";
  return h(
    "div",
    { class: `note note-${kind}`, role },
    h(Icon, { name: icon }),
    title && h("h2", null, title),
    children,
  );
}

/**
 * What a problem is, and what it means.
 * @param {Problem} problem
 */
export function explained({ status, code, message }) {
  const words = texts.errors;
  if (code === OFFLINE) return { title: words.offlineTitle, text: message };
  if (status >= 500) return { title: words.unavailableTitle, text: words.unavailable };
  return { title: words.failedTitle, text: message };
}

/**
 * A refusal or a failure, with what to quote about it.
 * @param {{problem: Problem, retry?: () => void}} props
 */
export function ProblemNote({ problem, retry }) {
  const { requestId, retryAfter } = problem;
  const { title, text } = explained(problem);
  return h(
    Note,
    { kind: "bad", title },
    h("p", null, text),
    retryAfter > 0 && h("p", null, texts.errors.retryIn(retryAfter)),
    requestId &&
      h(
        "p",
        { class: "small dig-row" },
        h("span", null, `${texts.errors.quote}: `, h("span", { class: "mono any" }, requestId)),
        h(CopyButton, { text: requestId }, texts.errors.copyRequest),
      ),
    retry && h("div", { class: "acts" }, h(Button, { onClick: retry }, texts.tryAgain)),
  );
}
