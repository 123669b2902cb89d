// SPDX-License-Identifier: Apache-2.0
// chart - courses over time, with units, values where one points, and axes that begin at zero.
//
// Series are told apart by weight and dash, since colour is for states. What is not known is a gap. For those who do
// not see it there is a table of the same numbers behind "as a table". Only pages that import this load uPlot.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { theme, zone as zoneStore } from "../state/prefs";
import { useStore } from "../state/store";
import * as f from "./format";
import { UNKNOWN } from "./format";

export interface Series {
  name: string;
  values: (number | null)[];
  look?: "solid" | "dashed" | "dotted" | "area" | "bars";
}

export interface ChartProps {
  label: string; // says what it shows
  at: number[]; // unix seconds, rising
  series: Series[];
  unit: string; // behind values: "ms", "calls", "$"
  format?: (value: number) => string;
  height?: number;
  zone?: string;
  by?: "hour" | "day"; // what one point stands for
  partOf?: (at: number) => string | null; // "so far", of a point that does not stand for all of it
}

function ink(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Canvas knows nothing of light-dark(): the colour is asked of an element that has it.
function colour(box: HTMLElement, token: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  box.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value || ink(token);
}

function seriesOf(s: Series, i: number, c: { strong: string; soft: string; fill: string }): uPlot.Series {
  const look = s.look ?? (["solid", "dashed", "dotted"] as const)[i % 3]!;
  const base: uPlot.Series = { label: s.name, stroke: look === "solid" || look === "area" ? c.strong : c.soft, width: look === "dotted" ? 1.25 : 1.5, spanGaps: false, points: { show: s.values.length < 2 } };
  if (look === "dashed") base.dash = [5, 4];
  if (look === "dotted") base.dash = [1.5, 3];
  if (look === "area") base.fill = c.fill;
  if (look === "bars") {
    base.fill = c.fill;
    base.stroke = c.strong;
    base.width = 1;
    base.paths = uPlot.paths.bars!({ size: [0.7, 40] });
    base.points = { show: false };
  }
  return base;
}

/** Hours as 08:00, days by their name; a day is named at its midnight. */
function ticksOf(zone: string, splits: number[], step: number): string[] {
  return splits.map((s) => {
    const at = new Date(s * 1000);
    const clock = f.clock(at, zone);
    return step >= 86_400 || clock === "00:00" ? f.dayName(at, zone, at) : clock;
  });
}

function useDark(): boolean {
  const scheme = useMemo(() => matchMedia("(prefers-color-scheme: dark)"), []);
  const [dark, setDark] = useState(scheme.matches);
  useEffect(() => {
    const changed = () => setDark(scheme.matches);
    scheme.addEventListener("change", changed);
    return () => scheme.removeEventListener("change", changed);
  }, [scheme]);
  return dark;
}

export function Chart(o: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chosen = useStore(zoneStore);
  const look = useStore(theme);
  const dark = useDark(); // a machine that goes dark in the evening takes the charts along
  const [shown, setShown] = useState<number | null>(null);
  const zone = o.zone ?? chosen;
  const format = o.format ?? ((v: number) => f.count(v, v !== 0 && Math.abs(v) < 10 && !Number.isInteger(v) ? 1 : 0));
  const say = (v: number | null | undefined) => (v === null || v === undefined ? UNKNOWN : format(v) + (o.unit && !o.format ? " " + o.unit : ""));
  const stamp = (s: number) => {
    const at = new Date(s * 1000);
    const name = o.by === "day" ? f.dayName(at, zone, new Date()) : `${f.dayName(at, zone, new Date())} ${f.clock(at, zone)} ${f.zoneShort(zone, at)}`;
    return [name, o.partOf?.(s)].filter(Boolean).join(", ");
  };

  useEffect(() => {
    const host = box.current!;
    const c = { strong: colour(host, "--ink"), soft: colour(host, "--ink-2"), fill: colour(host, "--fill"), line: colour(host, "--line") };
    const hasBars = o.series.some((s) => s.look === "bars"); // a bar stands about its moment
    const step = o.at.length > 1 ? o.at[1]! - o.at[0]! : 3600;
    const axis = { stroke: c.soft, font: "11px system-ui, sans-serif", grid: { stroke: c.line, width: 1 }, ticks: { show: false } };
    const plot = new uPlot(
      {
        width: host.clientWidth || 600,
        height: o.height ?? 180,
        padding: [10, hasBars ? 12 : 36, 0, 0],
        tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), zone === "UTC" ? "Etc/UTC" : zone),
        scales: { x: { range: (_u, min, max) => (hasBars || min === max ? [min - step / 2, max + step / 2] : [min, max]) }, y: { range: (_u, _min, max) => [0, max > 0 ? max * 1.08 : 1] } },
        legend: { show: false },
        cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
        axes: [
          { ...axis, size: 28, space: 72, values: (_u, splits, _axis, _space, incr) => ticksOf(zone, splits, incr) },
          { ...axis, size: o.unit === "ms" ? 68 : 56, values: (_u, ticks) => ticks.map(say) },
        ],
        series: [{}, ...o.series.map((s, i) => seriesOf(s, i, c))],
        hooks: { setCursor: [(u) => setShown(u.cursor.idx ?? null)] },
      },
      [o.at, ...o.series.map((s) => s.values)] as uPlot.AlignedData,
      host,
    );
    const observer = new ResizeObserver(() => plot.setSize({ width: host.clientWidth, height: o.height ?? 180 }));
    observer.observe(host);
    return () => (observer.disconnect(), plot.destroy());
  }, [o.at, o.series, zone, look, dark, o.height]);

  const at = shown ?? o.at.length - 1;
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{o.label}</span>
        {o.series.map((s, i) => (
          <span key={s.name} class="chart-key">
            <svg width="22" height="8" aria-hidden="true">
              <path d="M0 4H22" class={`key ${s.look ?? ["solid", "dashed", "dotted"][i % 3]}`} />
            </svg>
            {s.name} <b class="num">{say(s.values[at])}</b>
          </span>
        ))}
        <span class="chart-at num">{o.at[at] === undefined ? "" : stamp(o.at[at]!)}</span>
      </figcaption>
      <div class="chart-box" ref={box} aria-hidden="true" />
      <details class="chart-table">
        <summary>as a table</summary>
        <div class="table-scroll" tabIndex={0} role="region" aria-label={o.label}>
          <table>
            <caption class="hidden">{o.label}</caption>
            <thead>
              <tr>
                <th scope="col">When</th>
                {o.series.map((s) => (
                  <th key={s.name} scope="col" class="right">
                    {s.name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {o.at.map((t, i) => (
                <tr key={t}>
                  <th scope="row">{stamp(t)}</th>
                  {o.series.map((s) => (
                    <td key={s.name} class="right">
                      {say(s.values[i])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}
