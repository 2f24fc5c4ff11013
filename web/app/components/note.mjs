// What stands where a problem is, with the way out as its button.

import { h } from "../../vendor/preact.mjs";
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
 * A refusal or a failure, with what to quote about it.
 * @param {{problem: Problem, retry?: () => void}} props
 */
export function ProblemNote({ problem, retry }) {
  const { status, code, message, requestId, retryAfter } = problem;
  const unavailable = status >= 500;
  const { offlineTitle, unavailableTitle, failedTitle } = texts.errors;
  const title = code === "offline" ? offlineTitle : unavailable ? unavailableTitle : failedTitle;
  return h(
    Note,
    { kind: "bad", title },
    h("p", null, unavailable ? texts.errors.unavailable : message),
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
