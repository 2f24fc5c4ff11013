// The app: it starts the session, and shows the view that the address names.

import { h, render } from "../vendor/preact.mjs";
import { useEffect, useLayoutEffect, useState } from "../vendor/preact-hooks.mjs";
import { send } from "./api.mjs";
import { ErrorPage } from "./components/error-page.mjs";
import { OfflineBar } from "./components/offline.mjs";
import { BarePage, Header, SkipLink } from "./components/page.mjs";
import { Toasts } from "./components/toast.mjs";
import { address, place } from "./router.mjs";
import * as sessions from "./session.mjs";
import { texts } from "./texts.mjs";
import { menuOf, SIGN_IN, UNKNOWN, VIEWS } from "./views.mjs";

/**
 * @typedef {import("./api.mjs").Problem} Problem
 * @typedef {import("./views.mjs").View} View
 */

function App() {
  const [session, setSession] = useState(sessions.current());
  const [at, setAt] = useState(place());
  // Layout effects, so that no change comes before somebody listens.
  useLayoutEffect(() => sessions.subscribe(setSession), []);
  useLayoutEffect(() => {
    const moved = () => setAt(place());
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);

  const { account, state, problem } = session;
  if (state === "failed" && problem) return h(ErrorPage, { problem, retry: sessions.start });

  const view = viewAt(at.path, account);
  const props = { query: at.query, account };
  const shown = h(Loaded, { key: view.path, view, props });
  if (!account) return shown;
  return [
    h(SkipLink, null),
    h(Header, { account, views: menuOf(account.role), path: view.under ?? view.path }),
    h(OfflineBar, null),
    shown,
    h(Toasts, null),
  ];
}

/**
 * The view for an address and whoever asks. Who has to sign in does so at that address, and is where
 * it leads to afterwards.
 * @param {string} path
 * @param {import("./contract.d.ts").Account | null} account
 * @returns {View}
 */
function viewAt(path, account) {
  const home = account ? menuOf(account.role)[0]?.path : SIGN_IN;
  const wanted = path === "/" || (account && path === SIGN_IN) ? home : path;
  const view = VIEWS.find((it) => it.path === wanted);
  if (!account && (!view || view.roles)) return viewAt(SIGN_IN, null);
  const may = view && (!view.roles || (account && view.roles.includes(account.role)));
  return may ? view : UNKNOWN;
}

/** A view whose script is loaded when it is first looked at. */
function Loaded(/** @type {{view: View, props: import("./views.mjs").ViewProps}} */ { view, props }) {
  const [component, setComponent] = useState(
    /** @type {{View: import("preact").ComponentType<any>} | null} */ (null),
  );
  const [failed, setFailed] = useState(/** @type {Problem | "new version" | null} */ (null));
  /** The script is not there: because nothing is, or because there is a newer one. */
  const ask = (/** @type {() => void} */ reached) => void send("GET", "").then(reached, setFailed);
  useEffect(() => {
    view.load().then(setComponent, () => ask(() => setFailed("new version")));
  }, []);
  if (failed === "new version") {
    const text = h("p", null, h("a", { href: address(view.path), onClick: () => location.reload() }, texts.errors.newVersion));
    return h(BarePage, { title: texts.errors.failedTitle, children: text });
  }
  if (failed) return h(ErrorPage, { problem: failed, retry: () => ask(() => location.reload()) });
  return component && h(component.View, props);
}

const root = document.getElementById("app");
if (root) render(h(App, null), root);
