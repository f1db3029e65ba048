/** The browsers that have pages about WebGPU. Those of iOS name themselves otherwise (CriOS, FxiOS): all are WebKit, which has none. */
export const browserName = (userAgent: string): 'chromium' | 'firefox' | 'other' =>
  userAgent.includes('Firefox/') ? 'firefox' : userAgent.includes('Chrome/') ? 'chromium' : 'other';
