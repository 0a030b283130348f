"""The linter: any repository of the Hub, or a folder that will be one, against rules with ids.

    repo = of_folder(Path("my-model"), hub_facts())   # or of_hub("datasets/owner/name")
    report = check_repository(repo)                  # rules -> findings; nothing is printed or changed

A rule is one decorated function in `rules/`; `zoo lint --rules` lists them. `leaks.find_secrets` and
`policy.check_policy` stand alone.
"""
