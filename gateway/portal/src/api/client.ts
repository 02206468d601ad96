/** The public API, typed by its own document. `ask` unwraps an answer or throws the problem that the server told. */
import createClient from "openapi-fetch";
import type { components, paths } from "@/api/schema";
import { accessToken, forget, signIn, SignedOutError } from "@/api/sign-in";
import { language } from "@/i18n";

export type Schemas = components["schemas"];

/** A refusal (RFC 9457): `message` is for people, `code` is stable. `status` 0: no answer came. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly faults: { field: string; message: string }[] = [],
    readonly callId = "",
  ) {
    super(message);
  }

  /** What is wrong with one field of a form, or "". */
  of(field: string): string {
    return this.faults.find((fault) => fault.field === field)?.message ?? "";
  }
}

const UNSAFE = new Set(["POST", "PUT", "PATCH", "DELETE"]);

async function send(request: Request): Promise<Response> {
  request.headers.set("Accept-Language", language.value);
  if (UNSAFE.has(request.method) && !request.headers.has("Idempotency-Key")) {
    request.headers.set("Idempotency-Key", crypto.randomUUID());
  }
  const again = request.clone();
  let token = await accessToken();
  let response = await fetch(authorised(request, token));
  if (response.status === 401 && token) {
    token = await accessToken(token);
    if (token) response = await fetch(authorised(again, token));
    // A fresh token is refused too: the sign-in was ended elsewhere.
    if (response.status === 401) forget();
  }
  return response;
}

function authorised(request: Request, token: string): Request {
  if (token) request.headers.set("Authorization", `Bearer ${token}`);
  return request;
}

export const api = createClient<paths>({ baseUrl: "", fetch: send });

/** The body of an answer. Throws Problem. */
export async function ask<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const answer = await asked.catch((error: unknown) => {
    throw problemOf(error);
  });
  if (!answer.response.ok) throw told(answer.response.status, answer.error);
  return answer.data as T;
}

/** The answer, or undefined where there is nothing (yet): 404, or a refusal with this code. */
export async function orNone<T>(asked: Promise<T>, code = ""): Promise<T | undefined> {
  return asked.catch((error: unknown) => {
    if (error instanceof Problem && (error.status === 404 || (code && error.code === code))) return undefined;
    throw error;
  });
}

/** Any failure as a Problem. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof SignedOutError) return new Problem(401, "shared.sign_in_first", "");
  if (error instanceof TypeError) return new Problem(0, "portal.unreachable", "");
  throw error;
}

function told(status: number, body: unknown): Problem {
  const problem = (body ?? {}) as Partial<Schemas["Problem"]>;
  return new Problem(status, problem.code ?? "", problem.detail ?? "", problem.errors ?? [], problem.call_id ?? "");
}

/** A file that needs the sign-in to be read (PDF, picture, report), as an address for this page. */
export async function fileAddress(path: string, body?: unknown): Promise<string> {
  const options = body === undefined ? {} : { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const response = await send(new Request(new URL(path, location.origin), options)).catch((error: unknown) => {
    throw problemOf(error);
  });
  if (!response.ok) throw told(response.status, await response.json().catch(() => ({})));
  return URL.createObjectURL(await response.blob());
}

export function isSignedIn(): boolean {
  return signIn.value !== null;
}
