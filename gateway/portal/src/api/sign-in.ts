/**
 * Who is signed in on this device: the tokens, kept over reloads and shared by the tabs of one browser.
 *
 * A refresh token works once, and one used twice counts as stolen. So one tab refreshes at a time, under a lock, and a
 * refresh whose answer was lost is repeated with its first Idempotency-Key, which answers the same again.
 */
import { ref } from "vue";

const KEY = "yanxiu.sign-in";
/** Exchanged this long before its end, so that no request carries a token that ends on its way. */
const MARGIN_MS = 30_000;

export interface SignIn {
  accessToken: string;
  refreshToken: string;
  /** By this device's clock, milliseconds. */
  endsAt: number;
  desk: string;
  /** The Idempotency-Key of the next refresh. */
  refreshKey: string;
}

interface Tokens {
  access_token: string;
  expires_in_seconds: number;
  refresh_token?: string;
  desk?: string;
}

export class SignedOutError extends Error {}

export const signIn = ref<SignIn | null>(read());

globalThis.addEventListener?.("storage", (event) => {
  if (event.key === KEY || event.key === null) signIn.value = read();
});

function read(): SignIn | null {
  try {
    return JSON.parse(globalThis.localStorage?.getItem(KEY) ?? "null") as SignIn | null;
  } catch {
    return null;
  }
}

/** Take the tokens of an answer. One without a refresh token (a change of desk, a step-up) renews the access token only. */
export function keep(tokens: Tokens): void {
  const before = read();
  const next: SignIn = {
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token ?? before?.refreshToken ?? "",
    endsAt: Date.now() + tokens.expires_in_seconds * 1000,
    desk: tokens.desk ?? before?.desk ?? "TEACHER",
    refreshKey: tokens.refresh_token ? crypto.randomUUID() : (before?.refreshKey ?? crypto.randomUUID()),
  };
  localStorage.setItem(KEY, JSON.stringify(next));
  signIn.value = next;
}

export function forget(): void {
  localStorage.removeItem(KEY);
  signIn.value = null;
}

/** A token that is still good, "" for a visitor. `refused`: the one that the server would not take any more. */
export async function accessToken(refused = ""): Promise<string> {
  const kept = read();
  if (kept === null) return "";
  if (isGood(kept, refused)) return kept.accessToken;
  return navigator.locks.request(KEY, async () => {
    const now = read();
    if (now === null) return "";
    return isGood(now, refused) ? now.accessToken : exchange(now);
  });
}

function isGood(kept: SignIn, refused: string): boolean {
  return kept.accessToken !== refused && Date.now() < kept.endsAt - MARGIN_MS;
}

async function exchange(old: SignIn): Promise<string> {
  const response = await fetch("/api/v1/sessions/refresh", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": old.refreshKey },
    body: JSON.stringify({ refresh_token: old.refreshToken }),
  });
  if (response.ok) {
    keep((await response.json()) as Tokens);
    return read()?.accessToken ?? "";
  }
  // Refused for good: the sign-in is over. Anything else may pass, and the next request tries again.
  if (response.status >= 400 && response.status < 429) {
    forget();
    throw new SignedOutError();
  }
  return old.accessToken;
}
