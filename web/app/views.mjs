// The list of all views: a view is a file of `views/` and a line here.

import { texts } from "./texts.mjs";

/**
 * @typedef {object} View
 * @property {string} path behind the hash
 * @property {import("./contract.d.ts").Role[]} [roles] who may see it; anybody when left out
 * @property {string} [menu] its name in the menu; left out when it is not in there
 * @property {string} [under] the path of the view in the menu that leads to it
 * @property {() => Promise<{View: import("preact").ComponentType<ViewProps>}>} load
 */

/** @typedef {{query: URLSearchParams, account: import("./contract.d.ts").Account | null}} ViewProps */

/** The first one in the menu of a role is where it begins. @type {View[]} */
export const VIEWS = [
  { path: "/sign-in", load: () => import("./views/sign-in.mjs") },
  { path: "/forgotten", load: () => import("./views/forgotten.mjs") },
  { path: "/sign-up", load: () => import("./views/sign-up.mjs") },
  { path: "/download", load: () => import("./views/download.mjs") },
  { path: "/files", roles: ["client"], menu: texts.menu.files, load: () => import("./views/files.mjs") },
  { path: "/links", roles: ["client"], menu: texts.menu.links, load: () => import("./views/links.mjs") },
  { path: "/uploads", roles: ["ops"], menu: texts.menu.uploads, load: () => import("./views/uploads.mjs") },
  { path: "/upload", roles: ["ops"], menu: texts.menu.upload, load: () => import("./views/upload.mjs") },
  { path: "/receipts", roles: ["ops"], under: "/uploads", load: () => import("./views/receipts.mjs") },
  { path: "/people", roles: ["admin"], menu: texts.people.title, load: () => import("./views/people.mjs") },
  { path: "/invitations", roles: ["admin"], menu: texts.invitations.title, load: () => import("./views/invitations.mjs") },
  { path: "/groups", roles: ["admin"], menu: texts.groups.title, load: () => import("./views/groups.mjs") },
  { path: "/approvals", roles: ["ops", "admin"], menu: texts.approvals.title, load: () => import("./views/approvals.mjs") },
  { path: "/audit", roles: ["admin"], menu: texts.audit.menu, load: () => import("./views/audit.mjs") },
  { path: "/account", roles: ["client", "ops", "admin"], load: () => import("./views/account.mjs") },
  { path: "/account/second-factor", roles: ["client", "ops", "admin"], load: () => import("./views/second-factor.mjs") },
];

/** What stands where somebody has to sign in first, and where there is nothing. */
export const SIGN_IN = "/sign-in";
export const UNKNOWN = { path: "", load: () => import("./views/unknown.mjs") };

/** @param {import("./contract.d.ts").Role} role */
export const menuOf = (role) => VIEWS.filter(({ roles, menu }) => menu && roles?.includes(role));
