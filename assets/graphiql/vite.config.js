import { defineConfig } from 'vite';

import { thirdPartyLicenses } from './third-party-licenses.js';

export default defineConfig({
  // Relative addresses: the page works behind a proxy that serves it under a path as well.
  base: './',
  build: {
    target: 'es2022',
    // Everything is a file of the same origin: the Content-Security-Policy admits no scripts, styles or fonts in data
    // URLs.
    assetsInlineLimit: 0,
    // All browsers of the target preload modules.
    modulePreload: { polyfill: false },
    // Monaco is as large as it is, and loaded after the page is shown.
    chunkSizeWarningLimit: 3000,
    reportCompressedSize: false,
    // Directives for React on servers, in most of the packages. They mean nothing here.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
  // Modules, so that they may share code with each other.
  worker: { format: 'es' },
  plugins: [thirdPartyLicenses('licenses.txt')],
});
