import { defineConfig } from "@playwright/test";

/** Run by tests/portal, which starts an installation and names it in YANXIU_ADDRESS, and the browser in CHROMIUM. */
export default defineConfig({
  testDir: "e2e",
  timeout: 120_000,
  expect: { timeout: 15_000 },
  // One installation, one simulated phone network: side by side they would wait for each other's codes.
  workers: 1,
  reporter: [["line"]],
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
    trace: "retain-on-failure",
  },
});
