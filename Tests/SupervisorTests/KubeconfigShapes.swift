/// Kubeconfigs as users have them, each with what is particular about it.
enum KubeconfigShapes {
    static let work = """
        # my clusters
        apiVersion: v1
        kind: Config
        current-context: work # the usual one
        clusters:
        # the company's
        - name: work
          cluster: {server: "https://work"}   # by VPN
        contexts:
          - context:
              cluster: work
              user: me
            name: work
        users:
        - name: me
          user:
            token: 0123
            client-key-data: |
              - name: martlet
              # not a comment
        future: {anything: [1, 2.50]}
        preferences: {colors: true}

        """

    /// Shapes of a file whose entries are not ours, with why each is one.
    static let some: [(String, String)] = [
        ("comments, unknown fields, both indentations of lists", work),
        ("as kubectl writes an empty one", "apiVersion: v1\nclusters: null\ncontexts: null\nusers: null\n"),
        ("empty lists, a comment at one", "clusters: [] # none\ncontexts:\nusers: ~\n"),
        ("no line break at the end", "apiVersion: v1\nkind: Config\npreferences: {}"),
        ("lines that end as on Windows", "apiVersion: v1\r\nclusters:\r\n- name: w\r\n  cluster: {}\r\n"),
        ("a document's start and end", "---\napiVersion: v1\nkind: Config\n...\n"),
        ("comments alone", "# to be filled\n"),
        ("empty", ""),
    ]

    /// Shapes of a file that has all lists and fields, so that nothing of ours is left.
    static let whole: [(String, String)] = [
        ("block style", work),
        (
            "flow lists, each on a line, no line break at the end",
            """
            apiVersion: v1
            kind: Config
            clusters: [{name: work, cluster: {server: "https://work"}}]
            users: [ {name: me, user: {token: secret}} ] # mine
            contexts: [{name: work, context: {cluster: work, user: me}},]
            current-context: work
            """
        ),
        (
            "flow lists over several lines, with comments",
            """
            apiVersion: v1
            kind: Config
            current-context: work
            # [all of them, and
            clusters: [ # {the company's
              {name: work, cluster: {server: https://work/#a?b=c}}, # by "VPN", not
              # it's the second
              {name: more, cluster: {server: 'https://more'}} # ]
              # and so on

            ]
            users:
              [
                {name: me, user: {token: 0123}}, # ,
              ]
            contexts: [
            {name: work,
              context: {cluster: work,
                user: me}}]

            """
        ),
        (
            "block and flow lists in one file, strings of brackets, quotes and commas",
            #"""
            ---
            apiVersion: v1
            kind: Config
            clusters:
            - {name: work, cluster: {server: "https://work"}}
            users: [{name: "a], [\"b\", ", user: {username: 'it''s ]}, [', password: don't "tell" it's}}]
            contexts:
            - name: work
              context: {cluster: work, user: "a], [\"b\", "}
            current-context: work
            ...

            """#
        ),
        (
            "compact JSON",
            #"{"kind":"Config","apiVersion":"v1","clusters":[{"name":"work","cluster":{"server":"https://work"}}],"#
                + #""users":[],"contexts":[{"name":"work","context":{"cluster":"work","user":"a]}"}}],"#
                + #""current-context":"work"}"#
        ),
        (
            "JSON over many lines",
            #"""
            {
              "apiVersion": "v1",
              "kind": "Config",
              "preferences": {},
              "clusters": [
                {
                  "name": "work",
                  "cluster": { "server": "https://work", "proxy-url": "[\"]},{\\" }
                }
              ],
              "users" : [ ],
              "contexts": [
                { "name": "work", "context": { "cluster": "work", "user": "me" } }
              ],
              "current-context": "work"
            }

            """#
        ),
        (
            "JSON with the line ends of Windows, and comments as YAML has them",
            "# mine\r\n{\r\n  kind: Config, apiVersion: v1, users: [\r\n  ], current-context: \"w\", # {\r\n"
                + "  \"clusters\": [\r\n    {\"name\": \"w\", \"cluster\": {}} # w\r\n  ],\r\n"
                + "  \"contexts\": [{\"name\": \"w\", \"context\": {}}]\r\n}\r\n"
        ),
    ]
}
