/** What the API answers, as far as the app reads it. `docs/openapi.json` has the whole. */

export type Role = "client" | "ops" | "admin";

/** The answer of `session_create`, `session_refresh`, and of `totp_confirm` as `session`. */
export interface LoggedIn {
  access: string;
  /** Seconds for which `access` can be used. */
  expires_in: number;
}

/** The answer of `account_show`. */
export interface Account {
  id: string;
  username: string;
  email: string;
  role: Role;
  second_factor: boolean;
  created_at: string;
}

/** The answer of `account_create`. */
export interface AccountCreated {
  message: string;
  username: string;
  role: Role;
  /** Only where mails are not sent: the address that the mail would hold, for programs. */
  verification_url?: string;
}

/** The answer of `totp_create`. */
export interface TotpCreated {
  secret: string;
  uri: string;
}

/** The answer of `totp_confirm`. */
export interface TotpConfirmed {
  recovery_codes: string[];
  session?: LoggedIn;
}

/** An entry of `file_list`. */
export interface FileSummary {
  id: string;
  filename: string;
  /** In bytes. */
  size: number;
  content_type: string;
  /** In hexadecimal digits. */
  sha256: string;
  uploaded_by: string;
  uploaded_at: string;
}

/** The answer of `link_create`. */
export interface LinkCreated {
  id: string;
  download_url: string;
  page_url: string;
  file_id: string;
  filename: string;
  expires_at: string;
  one_time: boolean;
  max_downloads: number;
  bind: boolean;
  note: string | null;
}

export type LinkState = "live" | "used" | "expired" | "revoked";

/** An entry of `link_list`. */
export interface LinkSummary {
  id: string;
  file_id: string;
  filename: string;
  state: LinkState;
  created_at: string;
  expires_at: string;
  max_downloads: number;
  downloads: number;
  bind: boolean;
  note: string | null;
}
