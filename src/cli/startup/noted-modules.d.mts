/** The bundle with its modules telling when they are initialized; `used` is called when that could be put in. */
export function notedModules(text: string, used?: () => void): string;
