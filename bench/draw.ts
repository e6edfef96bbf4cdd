// Draws a report: its plots, and the tables that docs/BENCHMARKS.md refers to.
//   npm run bench -- --json > docs/benchmarks/report.json
//   node bench/draw.ts
import fs from 'node:fs';
import * as vega from 'vega';
import * as vegaLite from 'vega-lite';
import { us, type Comparison } from './area.ts';
import { median } from './figures.ts';
import { comparisonRows, type MeasuredArea, type Report } from './report.ts';
import { targetsMarkdown } from './targets.ts';

const folder = new URL('../docs/benchmarks/', import.meta.url);

const report = JSON.parse(fs.readFileSync(new URL('report.json', folder), 'utf8')) as Report;
for (const file of fs.readdirSync(folder)) if (file.endsWith('.svg')) fs.rmSync(new URL(file, folder));
const { date, rounds, machine, measured } = report;
const pages: string[] = [];
for (const area of measured) pages.push(await page(area));
const head = [
  '# Measured',
  '',
  `On ${date}, ${rounds} rounds. What this means, and how it is measured: [BENCHMARKS.md](../BENCHMARKS.md). Drawn from [report.json](report.json) by \`bench/draw.ts\`.`,
  '',
  '```json',
  JSON.stringify(machine, null, 2),
  '```',
  '',
];
fs.writeFileSync(new URL('README.md', folder), [...head, ...pages].join('\n'));
writeBetweenMarks(new URL('../BENCHMARKS.md', folder), [`Measured on ${date}, ${rounds} rounds.`, '', ...targetsMarkdown(report)]);

/** Puts lines where a document has room for what came of the targets. */
function writeBetweenMarks(file: URL, lines: readonly string[]): void {
  const [begin, end] = ['<!-- what came of the targets, by bench/draw.ts -->', '<!-- so far -->'];
  const text = fs.readFileSync(file, 'utf8');
  const [before, after] = [text.indexOf(begin), text.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`${file.pathname} has no room for what came of the targets`);
  fs.writeFileSync(file, `${text.slice(0, before + begin.length)}\n\n${lines.join('\n')}\n\n${text.slice(after)}`);
}

/** An area's comparisons, each with its plot and its table. */
async function page({ area, seconds, load, comparisons }: MeasuredArea): Promise<string> {
  const parts = [`## ${area}`, '', `${seconds} s; load average ${load.map((loads) => loads.join(' ')).join(' before, ')} after.`, ''];
  for (const [index, comparison] of comparisons.entries()) {
    const file = `${area}-${index + 1}.svg`;
    fs.writeFileSync(new URL(file, folder), await drawn(comparison));
    const { what, unit, note, base = us } = comparison;
    const rows = comparisonRows(comparison).map((cells) => `| ${cells.join(' | ')} |`);
    parts.push(`### ${what}`, '', `![${what}](${file})`, '');
    parts.push(`| | ${unit} | spread | ${base} is | |`, '|---|--:|--:|--:|---|', ...rows, '');
    if (note !== undefined) parts.push(note.replaceAll('\n', ' '), '');
  }
  return parts.join('\n');
}

/** A bar a contestant, as long as its median, with a line from its lowest to its highest figure. */
async function drawn({ what, unit, contestants }: Comparison): Promise<string> {
  const values = contestants
    .filter(({ figures }) => figures.length > 0)
    .map(({ name, figures }) => ({ name, median: median(figures), lowest: Math.min(...figures), highest: Math.max(...figures) }));
  const y = { field: 'name', type: 'nominal', sort: null, title: null, axis: { labelLimit: 320 } } as const;
  const x = { type: 'quantitative', title: unit } as const;
  const { spec } = vegaLite.compile({
    title: { text: what, anchor: 'start' },
    width: 420,
    background: 'white',
    data: { values },
    layer: [
      {
        mark: { type: 'bar', height: { band: 0.7 } },
        encoding: {
          y,
          x: { ...x, field: 'median' },
          color: { condition: { test: "indexof(datum.name, 'distilog') === 0", value: '#2a6f97' }, value: '#b8c4cc' },
        },
      },
      { mark: { type: 'rule', color: '#444' }, encoding: { y, x: { ...x, field: 'lowest' }, x2: { field: 'highest' } } },
    ],
  });
  return new vega.View(vega.parse(spec), { renderer: 'none' }).toSVG();
}
