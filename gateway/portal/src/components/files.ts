/** Files that need the sign-in to be read. */
import { fileAddress } from "@/api/client";

const KEPT_MS = 60_000;

/** Save one under `name`; with a body it is asked for by POST. Throws Problem. */
export async function save(path: string, name: string, body?: unknown): Promise<void> {
  const link = document.createElement("a");
  link.href = await fileAddress(path, body);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
