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

export type FileState = "uploading" | "checking" | "available" | "rejected" | "deleted";

/** Why a file was not taken. */
export interface RejectionReason {
  code: string;
  /** A sentence without its full stop. */
  detail: string;
}

/** The answer of `file_show`, and an entry of `file_list_uploaded`. */
export interface FileDetails {
  id: string;
  filename: string;
  /** In bytes; null while an import does not know it. */
  size: number | null;
  state: FileState;
  reason?: RejectionReason | null;
  sha256?: string | null;
  uploaded_by: string;
  created_at: string;
  uploaded_at?: string;
  expires_at?: string;
  recipients: "everyone" | string[];
  notify_recipients: boolean;
  note?: string | null;
  notify: boolean;
  links: number;
  downloads: number;
}

/** The answer of `upload_create`. */
export interface UploadCreated {
  upload_id: string;
  part_size: number;
  parts: number;
}

/** The answer of `upload_show`. */
export interface UploadStatus {
  upload_id: string;
  state: FileState;
  filename: string;
  /** In bytes; null while an import does not know it. */
  size: number | null;
  reason?: RejectionReason | null;
  part_size?: number | null;
  parts?: number | null;
  received?: { number: number; size: number; sha256: string }[] | null;
}

/** The answer of `upload_sign_parts`. */
export interface PartsSigned {
  parts: { number: number; size: number; url: string; headers: Record<string, string> }[];
}

/** What every receipt has, and what those of one event have. */
export interface Receipt {
  link: string;
  number: number;
  previous: string | null;
  at: string;
  request_id: string;
  event: "created" | "redeemed" | "resumed" | "ended" | "revoked" | "erased";
  /** Of `created`. */
  username?: string;
  expires_at?: string;
  max_downloads?: number;
  bind?: boolean;
  note?: string | null;
  size?: number;
  /** Of `redeemed` and `resumed`; `download` of `ended` too. */
  download?: number;
  address?: string;
  agent?: string;
  /** Of `ended`. */
  bytes?: number;
  outcome?: "completed" | "partial" | "broken_off" | "redirected";
  /** Of `erased`: the SHA-256 of the first receipt's text from then on. */
  first?: string;
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

/** The answer of `download_show`. */
export interface DownloadDetails {
  filename: string;
  /** In bytes. */
  size: number;
  /** In hexadecimal digits. */
  sha256: string;
  expires_at: string;
  max_downloads: number;
  downloads: number;
  bind: boolean;
  /** What `file_download` takes as `lease`. */
  lease: number;
  /** When the download that this browser has begun can no longer go on. */
  lease_ends_at?: string;
  /** Whether S3 sends the bytes. */
  presigned: boolean;
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

/** An entry of `session_list` and of `user_sessions`. */
export interface SessionSummary {
  id: string;
  current: boolean;
  /** The `User-Agent` of the login. */
  device: string;
  address: string;
  created_at: string;
  last_used_at: string;
  expires_at: string;
}

/** The answer of `recovery_codes_create`. */
export interface RecoveryCodesCreated {
  recovery_codes: string[];
}

export type UserState = "active" | "disabled" | "unverified" | "invited" | "waiting";

export type LimitKind =
  | "wrong_passwords_for_name"
  | "wrong_passwords_for_address"
  | "wrong_codes"
  | "links"
  | "uploads"
  | "address_changes"
  | "reset_mails"
  | "sign_up_mails"
  | "verification_mails"
  | "new_address_mails"
  | "invitation_mails"
  | "file_mails"
  | "download_mails";

/** An entry of `user_limits`. */
export interface LimitDetails {
  what: LimitKind;
  taken: number;
  most: number;
  ends_at: string;
  /** In seconds, when it is refused now. */
  retry_after?: number;
}

/** An entry of `user_list`. */
export interface UserDetails {
  id: string;
  username: string;
  email: string;
  role: Role;
  state: UserState;
  second_factor: boolean;
  created_at: string;
  last_seen_at?: string;
  email_changed_at?: string;
}

/** An entry of `audit_list`. */
export interface AuditEntry {
  at: string;
  /** `file:<id>`, `user:<id>` or `group:<id>`. */
  subject: string;
  action: string;
  /** The id of an account. */
  actor: string;
  request_id: string;
  detail?: string;
}

/** An entry of `invitation_list`. */
export interface InvitationSummary {
  id: string;
  email: string;
  role: Role;
  username: string;
  created_at: string;
  expires_at: string;
}

/** An entry of `approval_list`. */
export interface ApprovalSummary {
  id: string;
  username: string;
  email: string;
  role: Role;
  created_at: string;
}

/** An entry of `group_list`. */
export interface GroupDetails {
  name: string;
  /** How many. */
  members: number;
  created_at: string;
}
