/** Solves the server's small task (altcha, proof of work v2); no picture, no other host, about a second of work. */
import { solveChallenge } from "altcha-lib";
import { deriveKey } from "altcha-lib/algorithms/web/pbkdf2";
import type { Challenge } from "altcha-lib/types";
import { api, ask } from "@/api/client";

export async function solveCaptcha(): Promise<string> {
  const issued = await ask(api.POST("/api/v1/captchas"));
  const challenge = issued.challenge as unknown as Challenge;
  const solution = await solveChallenge({ challenge, deriveKey });
  if (!solution) throw new Error("the captcha was not solved in time");
  return btoa(JSON.stringify({ challenge, solution }));
}
