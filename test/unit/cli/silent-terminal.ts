import type { Terminal } from '../../../src/cli/terminal.ts';

/** Returns a terminal that shows nothing; `own` replaces parts of it. */
export const silentTerminal = (own: Partial<Terminal> = {}): Terminal => ({
  print: () => undefined,
  printText: () => undefined,
  printJson: () => undefined,
  printJsonLists: () => Promise.resolve(),
  note: () => undefined,
  openRegion: () => ({ draw: () => undefined, clear: () => undefined, done: () => undefined }),
  isInteractive: false,
  width: 100,
  paint: (_style, text) => text,
  ...own,
});
