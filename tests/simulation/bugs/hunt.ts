export async function huntBugs(only?: string): Promise<boolean> {
  return only === undefined
}
