// The frames of views: pages with the menu, and bare pages for those who are not signed in.

import { h } from "../../vendor/preact.mjs";
import { useLayoutEffect, useRef } from "../../vendor/preact-hooks.mjs";
import { address } from "../router.mjs";
import { current, signOut } from "../session.mjs";
import { texts } from "../texts.mjs";
import { Icon, Mark } from "./icon.mjs";
import { toast } from "./toast.mjs";

/** @typedef {import("preact").ComponentChildren} Children */

/**
 * The heading of a view. It is the title too, and takes the focus when the view appears.
 * @param {{children: string}} props
 */
function Heading({ children }) {
  const heading = useRef(/** @type {HTMLHeadingElement | null} */ (null));
  useLayoutEffect(() => {
    document.title = `${children} · ${texts.product}`;
    heading.current?.focus();
  }, [children]);
  return h("h1", { tabIndex: -1, ref: heading }, children);
}

/** Puts the focus where a view begins. */
export const focusHeading = () => document.querySelector("h1")?.focus();

/**
 * Before something of a section goes: the focus, when it is within the section, moves to its heading.
 * @param {string} id of the heading
 */
export function keepFocus(id) {
  const title = document.getElementById(id);
  if (title?.closest("section")?.contains(document.activeElement)) title.focus();
}

/** @param {{title: string, lead?: Children, actions?: Children, children?: Children}} props */
export function Page({ title, lead, actions, children }) {
  return h(
    "main",
    { class: "wrap page", id: "main" },
    h(
      "div",
      { class: "head" },
      h("div", null, h(Heading, null, title), lead && h("p", null, lead)),
      actions && h("div", { class: "head-act" }, actions),
    ),
    children,
  );
}

/**
 * A form by itself, for those who are not signed in; or, when it is `wide`, something to read.
 * @param {{title: string, lead?: Children, icon?: string, wide?: boolean, children?: Children}} props
 */
export function BarePage({ title, lead, icon, wide = false, children }) {
  return h(
    "div",
    { class: "center" },
    h(
      "main",
      { class: wide ? "read-page" : "form-page", id: "main" },
      !current().account && h("a", { class: "brand", href: address("/") }, h(Mark, null), texts.product),
      icon && h(Icon, { name: icon, class: "big-i" }),
      h(Heading, null, title),
      lead && h("p", { class: "lead" }, lead),
      children,
    ),
  );
}

/** @param {{account: import("../contract.d.ts").Account, views: import("../views.mjs").View[], path: string}} props */
export function Header({ account, views, path }) {
  return h(
    "header",
    { class: "top" },
    h(
      "div",
      { class: "wrap top-in" },
      h("a", { class: "brand", href: address("/") }, h(Mark, null), texts.product),
      h(
        "nav",
        { class: "nav", "aria-label": texts.menu.label },
        views.map(({ path: to, menu }) =>
          h("a", { key: to, href: address(to), "aria-current": to === path ? "page" : undefined }, menu),
        ),
      ),
      h(AccountMenu, { account }),
    ),
  );
}

/** @param {{account: import("../contract.d.ts").Account}} props */
function AccountMenu({ account }) {
  const { username, email, role } = account;
  const menu = useRef(/** @type {HTMLDetailsElement | null} */ (null));
  const close = () => menu.current?.removeAttribute("open");
  return h(
    "details",
    { class: "menu acct", ref: menu },
    h(
      "summary",
      null,
      h("span", null, h("span", { class: "vh" }, texts.menu.account), h("bdi", null, username)),
      h(Icon, { name: "down" }),
    ),
    h(
      "div",
      { class: "pop" },
      h("p", null, texts.menu.signedInAs(email, texts.menu.roles[role])),
      h("hr", null),
      h("a", { href: address("/account"), onClick: close }, texts.account.title),
      h("button", { type: "button", onClick: () => signOut().catch(() => toast(texts.menu.stillIn)) }, texts.menu.signOut),
    ),
  );
}

/** The link that lets the keyboard pass the menu. The hash is taken by the address of the view. */
export function SkipLink() {
  /** @param {MouseEvent} event */
  const skip = (event) => {
    event.preventDefault();
    focusHeading();
  };
  return h("a", { class: "skip", href: "#main", onClick: skip }, texts.skip);
}
