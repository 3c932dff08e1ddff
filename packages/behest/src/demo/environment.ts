/** Whether the environment names a real model. */
export function namesModel({ OPENAI_API_KEY, OPENAI_BASE_URL }: NodeJS.ProcessEnv): boolean {
  return Boolean(OPENAI_API_KEY ?? OPENAI_BASE_URL);
}
