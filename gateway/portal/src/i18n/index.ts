/** Chinese first, English on request. The reader's choice is kept; without one the browser's language decides. */
import { ref } from "vue";
import { createI18n } from "vue-i18n";
import zh from "@/i18n/zh";

export type Language = "zh" | "en";
const KEY = "yanxiu.language";

export const language = ref<Language>(preferred());
export const i18n = createI18n({ legacy: false, locale: "zh", fallbackLocale: "zh", messages: { zh } as Record<string, typeof zh> });

function preferred(): Language {
  const kept = globalThis.localStorage?.getItem(KEY);
  if (kept === "zh" || kept === "en") return kept;
  const first = globalThis.navigator?.languages?.find((tag) => /^(zh|en)\b/i.test(tag)) ?? "zh";
  return first.toLowerCase().startsWith("en") ? "en" : "zh";
}

export async function chooseLanguage(wanted: Language): Promise<void> {
  if (wanted === "en") i18n.global.setLocaleMessage("en", (await import("@/i18n/en")).default);
  i18n.global.locale.value = wanted;
  document.documentElement.lang = wanted === "zh" ? "zh-CN" : "en";
  language.value = wanted;
}

export function keepLanguage(wanted: Language): Promise<void> {
  localStorage.setItem(KEY, wanted);
  return chooseLanguage(wanted);
}
