import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import vue from "@vitejs/plugin-vue";
import { ElementPlusResolver } from "unplugin-vue-components/resolvers";
import Components from "unplugin-vue-components/vite";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Writes each text file a second and third time, compressed as far as it goes: the gateway only hands them out. */
function precompressed(): Plugin {
  return {
    name: "precompressed",
    writeBundle(options, bundle) {
      for (const name of Object.keys(bundle)) {
        if (!/\.(js|css|html|svg)$/.test(name)) continue;
        const path = join(options.dir ?? "dist", name);
        const plain = readFileSync(path);
        const brotli = { params: { [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } };
        writeFileSync(`${path}.br`, brotliCompressSync(plain, brotli));
        writeFileSync(`${path}.gz`, gzipSync(plain, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  base: "/portal/",
  resolve: { alias: { "@": join(import.meta.dirname, "src"), "@clients": join(import.meta.dirname, "../../clients/js") } },
  plugins: [
    vue(),
    // Only the components that templates name, each with its own styles.
    Components({ dirs: [], dts: "components.d.ts", resolvers: [ElementPlusResolver({ importStyle: "css" })] }),
    precompressed(),
  ],
  build: { target: "es2022", assetsInlineLimit: 0, reportCompressedSize: false, chunkSizeWarningLimit: 800 },
  server: { proxy: { "^/(api|media|verify)/": process.env.YANXIU_ADDRESS ?? "http://127.0.0.1:8080" } },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
