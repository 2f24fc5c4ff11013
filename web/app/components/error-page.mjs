// A page in place of the app when it cannot begin.

import { h } from "../../vendor/preact.mjs";
import { useEffect, useState } from "../../vendor/preact-hooks.mjs";
import { texts } from "../texts.mjs";
import { Button, CopyButton } from "./button.mjs";
import { Time } from "./file.mjs";
import { explained } from "./note.mjs";
import { BarePage } from "./page.mjs";
import { Facts } from "./row.mjs";

/** The seconds before the next attempt, where the refusal does not say how many. */
const AGAIN = 15;

/** @param {{problem: import("../api.mjs").Problem, retry: () => void}} props */
export function ErrorPage({ problem, retry }) {
  const words = texts.errors;
  const { status, code, requestId, retryAfter, at } = problem;
  const [left, setLeft] = useState(0);
  useEffect(() => setLeft(retryAfter || AGAIN), [problem]);
  useEffect(() => {
    if (left === 0) return undefined;
    const timer = setTimeout(() => (left > 1 ? setLeft(left - 1) : retry()), 1000);
    return () => clearTimeout(timer);
  }, [left]);
  const { title, text } = explained(problem);
  return h(
    BarePage,
    { title, icon: "alert", lead: text },
    h(
      "div",
      { class: "acts gap-b" },
      h(Button, { kind: "btn-l primary", onClick: retry }, texts.tryAgain),
      left > 0 && h("span", { class: "muted small" }, texts.upload.again(left)),
    ),
    h(Facts, {
      facts: [
        requestId && [words.quote, h("span", { class: "dig-row" }, h("span", { class: "mono any" }, requestId), h(CopyButton, { text: requestId }, words.copyRequest))],
        [words.happened, [status ? `${status}, ` : "", code, ", ", h(Time, { at: at.toISOString() })]],
      ],
    }),
  );
}
