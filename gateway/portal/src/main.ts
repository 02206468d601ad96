import { createApp } from "vue";
import "element-plus/theme-chalk/base.css";
import "@/look.css";
import App from "@/App.vue";
import { chooseLanguage, i18n, language } from "@/i18n";
import { router } from "@/router";

await chooseLanguage(language.value);
createApp(App).use(i18n).use(router).mount("#app");
