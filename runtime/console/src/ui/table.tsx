// SPDX-License-Identifier: Apache-2.0
// table - rows that can be sorted, walked with the arrow keys and opened with Enter.
//
// A row with `href` has its link in the first cell: the arrows go from link to link. Numbers stand at the right. What
// is not known is sorted behind all else, in either direction.
import type { ComponentChildren, JSX } from "preact";
import { memo } from "./memo";
import { useMemo, useState } from "preact/hooks";

export interface Column<R> {
  key: string;
  head: string;
  cell: (row: R) => ComponentChildren;
  sort?: (row: R) => string | number | null | undefined;
  align?: "right";
  wide?: boolean; // takes what width there is; its text is cut at the end
  prose?: boolean; // sentences: never a column of single words
  title?: string; // explains the heading
}

export interface TableProps<R> {
  caption: string; // for those who do not see it
  columns: Column<R>[];
  rows: R[];
  rowKey: (row: R) => string;
  href?: (row: R) => string | null;
  rowClass?: (row: R) => string | null;
  sortedBy?: { key: string; down: boolean };
  empty?: ComponentChildren;
  select?: { has: (key: string) => boolean; toggle: (key: string, on: boolean) => void; name: (row: R) => string };
}

function compare(a: string | number | null | undefined, b: string | number | null | undefined, down: boolean): number {
  const none = (x: unknown) => x === null || x === undefined || x === "";
  if (none(a) || none(b)) return none(a) && none(b) ? 0 : none(a) ? 1 : -1;
  const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
  return down ? -order : order;
}

export function sorted<R>(rows: R[], value: ((row: R) => string | number | null | undefined) | undefined, down: boolean): R[] {
  return value ? [...rows].sort((a, b) => compare(value(a), value(b), down)) : rows;
}

function walk(event: JSX.TargetedKeyboardEvent<HTMLTableSectionElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
  const target = event.target as HTMLElement;
  if (step === undefined || !target.matches("a, button")) return;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>("tr > :first-child a, tr > :first-child + td a.row-link")];
  const at = links.indexOf(target);
  const next = links[Math.max(0, Math.min(links.length - 1, at + step))];
  if (at < 0 || !next) return;
  event.preventDefault();
  next.focus();
}

const classOf = <R,>(c: Column<R>): string | undefined => [c.align, c.wide ? "wide" : "", c.prose ? "prose" : ""].filter(Boolean).join(" ") || undefined;

interface RowProps<R> {
  row: R;
  id: string;
  columns: Column<R>[];
  href: string | null;
  cls: string | null;
  selected: boolean | null;
  name: string;
  toggle?: (key: string, on: boolean) => void;
}

const Row = memo(function Row<R>({ row, id, columns, href, cls, selected, name, toggle }: RowProps<R>) {
  return (
    <tr class={cls ?? undefined} data-key={id}>
      {selected === null ? null : (
        <td class="select">
          <input type="checkbox" checked={selected} aria-label={`Select ${name}`} onChange={(e) => toggle?.(id, e.currentTarget.checked)} />
        </td>
      )}
      {columns.map((c, i) => (
        <td key={c.key} class={classOf(c)}>
          {i === 0 && href ? (
            <a class="row-link" href={href}>
              {c.cell(row)}
            </a>
          ) : (
            c.cell(row)
          )}
        </td>
      ))}
    </tr>
  );
});

export function Table<R>(o: TableProps<R>) {
  const [by, setBy] = useState(o.sortedBy ?? null);
  const column = o.columns.find((c) => c.key === by?.key);
  const rows = useMemo(() => sorted(o.rows, column?.sort, by?.down ?? false), [o.rows, column?.sort, by?.down]);
  if (o.rows.length === 0 && o.empty) return <>{o.empty}</>;
  const all = o.select ? o.rows.length > 0 && o.rows.every((r) => o.select!.has(o.rowKey(r))) : false;
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={o.caption}>
      <table>
        <caption class="hidden">{o.caption}</caption>
        <thead>
          <tr>
            {o.select ? (
              <th scope="col" class="select">
                <input
                  type="checkbox"
                  aria-label="Select all"
                  checked={all}
                  onChange={(e) => o.rows.forEach((r) => o.select!.toggle(o.rowKey(r), e.currentTarget.checked))}
                />
              </th>
            ) : null}
            {o.columns.map((c) => (
              <th
                key={c.key}
                scope="col"
                class={classOf(c)}
                title={c.title}
                aria-sort={by?.key === c.key ? (by.down ? "descending" : "ascending") : undefined}
              >
                {c.sort ? (
                  <button type="button" class="sort" onClick={() => setBy((was) => ({ key: c.key, down: was?.key === c.key ? !was.down : c.align === "right" }))}>
                    {c.head}
                    <span class="sort-mark" aria-hidden="true">
                      {by?.key === c.key ? (by.down ? "▾" : "▴") : ""}
                    </span>
                  </button>
                ) : (
                  c.head || <span class="hidden">Actions</span>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody onKeyDown={walk}>
          {rows.map((row) => {
            const key = o.rowKey(row);
            return (
              <Row
                key={key}
                id={key}
                row={row}
                columns={o.columns as Column<unknown>[]}
                href={o.href?.(row) ?? null}
                cls={o.rowClass?.(row) ?? null}
                selected={o.select ? o.select.has(key) : null}
                name={o.select ? o.select.name(row) : ""}
                toggle={o.select?.toggle}
              />
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
