import type { Page } from '../app/store/page.ts'

/** All items of a list that comes in pages. */
export async function everyPage<T>(page: (cursor: string | null) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const read: Page<T> = await page(cursor ?? null)
    items.push(...read.items)
    cursor = read.next
  }
  return items
}
