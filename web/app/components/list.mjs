// Lists of the API, page by page, and what stands in their place when there is nothing to show.

import { h } from "../../vendor/preact.mjs";
import { useEffect, useRef, useState } from "../../vendor/preact-hooks.mjs";
import { nextCursor, OFFLINE, Problem, withQuery } from "../api.mjs";
import { call } from "../session.mjs";
import { texts } from "../texts.mjs";
import { Button } from "./button.mjs";
import { ProblemNote } from "./note.mjs";

/** A list that is there sooner shows no skeleton before. */
const SKELETON_AFTER = 300;

/**
 * @template T
 * @typedef {object} List
 * @property {T[]} items
 * @property {"loading" | "ready" | "failed"} state
 * @property {Problem | null} problem
 * @property {string} cursor of the next page; empty at the end
 */

/**
 * Reads a list. A change of `path` or `query` begins anew.
 * @template T
 * @param {string} path
 * @param {Record<string, string>} [query]
 * @param {(response: Response) => Promise<T[]>} [itemsIn] takes a page from its answer
 */
export function useList(path, query = {}, itemsIn = (response) => response.json()) {
  const first = withQuery(path, query);
  /** @type {List<T>} */
  const nothing = { items: [], state: "loading", problem: null, cursor: "" };
  const [list, setList] = useState(nothing);
  const [begun, setBegun] = useState(0);

  /** @param {List<T>} before @param {AbortSignal} [signal] */
  const read = async (before, signal) => {
    let { items, cursor } = before;
    setList({ ...before, state: "loading", problem: null });
    try {
      do {
        const address = withQuery(path, { ...query, cursor });
        const response = await call("GET", address, signal ? { signal } : {});
        const page = await itemsIn(response);
        cursor = nextCursor(response);
        items = [...items, ...page];
        // A search can have empty pages before the one with what is looked for.
      } while (cursor && items.length === before.items.length);
      if (!signal?.aborted) setList({ items, state: "ready", problem: null, cursor });
    } catch (problem) {
      if (signal?.aborted) return;
      if (!(problem instanceof Problem)) throw problem;
      setList({ items, state: "failed", problem, cursor });
    }
  };

  useEffect(() => {
    const stop = new AbortController();
    read(nothing, stop.signal);
    return () => stop.abort();
  }, [first, begun]);

  const again = () => (list.items.length > 0 ? read(list) : setBegun((count) => count + 1));
  useEffect(() => {
    if (list.problem?.code !== OFFLINE) return undefined;
    addEventListener("reached", again);
    return () => removeEventListener("reached", again);
  }, [list.problem]);

  return {
    ...list,
    more: () => read(list),
    again,
    /** @param {(items: T[]) => T[]} change */
    change: (change) => setList((before) => ({ ...before, items: change(before.items) })),
    reload: () => setBegun((count) => count + 1),
  };
}

/**
 * Below a list: more of it, or what went wrong, or, after several pages, that there is no more. `children` stand there when the
 * list has nothing.
 * @param {{list: {items: unknown[], state: string, problem: Problem | null, cursor: string,
 *   more: () => void, again: () => void}, children?: import("preact").ComponentChildren}} props
 */
export function ListEnd({ list, children }) {
  const pages = useRef(false);
  pages.current ||= list.cursor !== "";
  if (list.problem) return h(ProblemNote, { problem: list.problem, retry: list.again });
  const loading = list.state === "loading";
  if (list.items.length === 0) return loading ? h(Skeleton, null) : children;
  return h(
    "div",
    { class: "pager" },
    list.cursor || loading
      ? h(Button, { onClick: list.more, busy: loading, busyText: texts.loading }, texts.showMore)
      : pages.current && h("span", null, texts.thatIsAll),
  );
}

/** In place of a list that takes long. */
export function Skeleton() {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), SKELETON_AFTER);
    return () => clearTimeout(timer);
  }, []);
  if (!late) return null;
  const row = (/** @type {string} */ width) =>
    h(
      "tr",
      { key: width },
      h("td", null, h("div", { class: "fcell" }, h("span", { class: "sk sk-ft" }), h("span", { class: `sk ${width}` }))),
      h("td", { class: "act" }, h("span", { class: "sk sk-btn" })),
    );
  return h(
    "div",
    null,
    h("p", { class: "vh", role: "status" }, texts.loading),
    h("table", { class: "t", "aria-hidden": "true" }, h("tbody", null, ["w-16", "w-20", "w-12"].map(row))),
  );
}

/** @param {{title: string, text: string, children?: import("preact").ComponentChildren}} props */
export function Empty({ title, text, children }) {
  return h(
    "div",
    { class: "empty" },
    h("h2", null, title),
    h("p", null, text),
    children && h("div", { class: "acts" }, children),
  );
}
