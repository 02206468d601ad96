/** Times and figures for readers. Days are Beijing days, as the rules mean them, wherever the reader is. */
import { language } from "@/i18n";

const ZONE = "Asia/Shanghai";

function locale(): string {
  return language.value === "zh" ? "zh-CN" : "en-GB";
}

export function day(instant: string | null | undefined): string {
  if (!instant) return "";
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeZone: ZONE }).format(new Date(instant));
}

export function moment(instant: string | null | undefined): string {
  if (!instant) return "";
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short", timeZone: ZONE }).format(new Date(instant));
}

/** The year of an instant in Beijing. */
export function yearOf(instant: string): number {
  return Number(new Intl.DateTimeFormat("en", { year: "numeric", timeZone: ZONE }).format(new Date(instant)));
}

/** The last day that counts, told by the first instant that does not. */
export function lastDay(closesAt: string): string {
  return day(new Date(new Date(closesAt).getTime() - 1000).toISOString());
}

/** 3725 as 1:02:05, 65 as 1:05. */
export function clockTime(seconds: number): string {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, index) => (index ? String(part).padStart(2, "0") : String(part))).join(":");
}

export function count(value: number): string {
  return new Intl.NumberFormat(locale()).format(value);
}

export function percent(part: number, whole: number): string {
  if (!whole) return "–";
  return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 1 }).format(part / whole);
}
