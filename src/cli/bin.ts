#!/usr/bin/env node
// Checks Node's version before anything is loaded that an old Node cannot parse. Keep this file's syntax old, and without static imports.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `distilog needs Node.js 22.18 or newer, and this is ${process.versions.node}. Install one from https://nodejs.org, or run in your project: npm install --save-dev node@24`,
  );
  process.exitCode = 2;
} else {
  const { restartWithHeapFlags } = await import('./frugal-heap.ts');
  restartWithHeapFlags();
  // Records from the beginning which module imports which: a module that a pipeline imports may be loaded before the pipeline is.
  const { recordModules } = await import('../kit/module-graph.ts');
  const stopRecording = recordModules();
  const { main } = await import('./main.ts');
  stopRecording();
  await main(process.argv.slice(2));
}

export {};
