// Sets the Content Security Policy of the demo.

const POLICY = [
  "default-src 'self'",
  "connect-src 'self' https:", // models
  "img-src 'self' blob: data:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
];
/** The only worker that compiles WebAssembly, that of transformers.js. A worker has the policy of its response, not that of the page. */
const WASM_WORKER = /\/assets\/peer-worker-/;

/** @param {string} path */
const policyOf = (path) =>
  [...POLICY, ...(WASM_WORKER.test(path) ? ["script-src 'self' 'wasm-unsafe-eval'"] : [])].join('; ');

/**
 * Vite plugin: the built page names its policy, and `vite preview`, which the browser tests use, sends it with every file, as a
 * strict host would.
 * @returns {import('vite').Plugin}
 */
export const contentPolicy = () => ({
  name: 'content-policy',
  apply: (_, { command, isPreview }) => command === 'build' || isPreview === true,
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: policyOf('') },
      injectTo: 'head-prepend',
    },
  ],
  configurePreviewServer: ({ middlewares }) => {
    middlewares.use((request, response, next) => {
      response.setHeader('Content-Security-Policy', policyOf(request.url ?? ''));
      next();
    });
  },
});
