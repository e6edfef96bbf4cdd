// Draws the plots of docs/BENCHMARKS.md from a report: npm run bench -- --json > docs/benchmarks/report.json; node --conditions=distilog-source bench/plots.ts
import fs from 'node:fs';
import * as vega from 'vega';
import * as vegaLite from 'vega-lite';
import type { Comparison } from './area.ts';
import { median } from './figures.ts';
import type { Report } from './report.ts';

const folder = new URL('../docs/benchmarks/', import.meta.url);

const { measured } = JSON.parse(fs.readFileSync(new URL('report.json', folder), 'utf8')) as Report;
for (const { area, comparisons } of measured) {
  for (const [index, comparison] of comparisons.entries()) {
    const file = `${area}-${index + 1}.svg`;
    fs.writeFileSync(new URL(file, folder), await drawn(comparison));
    console.log(`${file}: ${comparison.what}`);
  }
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
