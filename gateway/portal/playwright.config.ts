import { defineConfig } from "@playwright/test";

/** Run by tests/portal, which starts an installation and names it in YANXIU_ADDRESS, and the browser in CHROMIUM. */
export default defineConfig({
  testDir: "e2e",
  timeout: 120_000,
  expect: { timeout: 15_000 },
  // Every test has people of its own, so they are played side by side, more than there are cores: most of their time they
  // watch a video. The longest begins first.
  fullyParallel: true,
  workers: 3,
  projects: [
    { name: "season", testMatch: "season.spec.ts" },
    { name: "others", testIgnore: "season.spec.ts" },
  ],
  reporter: [["line"], ...(process.env.YANXIU_REPORT ? [["json", { outputFile: process.env.YANXIU_REPORT }] as const] : [])],
  use: {
    actionTimeout: 20_000,
    baseURL: process.env.YANXIU_ADDRESS,
    browserName: "chromium",
    launchOptions: {
      executablePath: process.env.CHROMIUM,
      // In a container the sandbox has no rights of its own to drop.
      args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
    },
    viewport: { width: 390, height: 844 },
    locale: "zh-CN",
    trace: { mode: "retain-on-failure", screenshots: false },
  },
});
