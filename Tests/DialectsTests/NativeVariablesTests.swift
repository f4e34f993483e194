import Model
import Testing

@Suite struct NativeVariablesTests {
    private func hostname(_ text: String, _ variables: String, set: [(String, String)] = []) throws -> String {
        try Native.parse(Native.minimal("hostname: \(text)\nvariables: \(variables)\n"), set: set).hostname
    }

    @Test func `A variable stands for its value anywhere in a text`() throws {
        #expect(try hostname("${a}.b.${a}", "{a: web}") == "web.b.web")
    }

    @Test func `A variable may use those declared before it`() throws {
        #expect(try hostname("${b}", "{a: web, b: '${a}.org'}") == "web.org")
        #expect(
            Native.problems(Native.minimal("hostname: x\nvariables: {b: '${a}', a: web}\n"))
                == "7:16: the variable 'a' is not declared; add it to variables:")
    }

    @Test func `A value given on the command line replaces the declared one`() throws {
        #expect(try hostname("${b}", "{a: web, b: '${a}.org'}", set: [("a", "db")]) == "db.org")
        #expect(try hostname("${b}", "{a: web, b: '${nowhere}'}", set: [("b", "x"), ("b", "y")]) == "y")
    }

    @Test func `A value given on the command line is taken as it is`() throws {
        let text = Native.minimal("commands: ['echo ${a}']\nvariables: {a: web}\n")
        #expect(try Native.parse(text, set: [("a", "${b} $${c}")]).commands == [CommandChange(run: "echo ${b} $${c}")])
    }

    @Test func `A value for what is not declared is refused`() {
        let text = Native.minimal("variables: {domain: x.org}\n")
        #expect(
            Native.problems(text, set: [("domian", "y")])
                == "6:12: --set gives 'domian', which is not declared; did you mean 'domain'?")
        #expect(
            Native.problems(Native.minimal(), set: [("x", "y")])
                == "1:1: --set gives 'x', which is not declared; add it to variables:")
    }

    @Test func `A variable that is not declared is refused, with the nearest name`() {
        #expect(
            Native.problems(Native.minimal("hostname: ${domian}\nvariables: {domain: x}\n"))
                == "6:11: the variable 'domian' is not declared; did you mean 'domain'?")
    }

    @Test(arguments: [
        ("${1a}", "6:11: '1a' is no name of a variable; write $${ for the characters ${"),
        ("${a", "6:11: '${' has no '}'; write $${ for the characters ${"),
    ])
    func `What begins like a variable and is none is refused`(text: String, problem: String) {
        #expect(Native.problems(Native.minimal("hostname: \(text)\n")) == problem)
    }

    @Test(arguments: [
        ("echo ${HOME} ${HOME:-x} ${1} ${#x} $HOME", "echo ${HOME} ${HOME:-x} ${1} ${#x} $HOME"),
        ("echo ${a} $${a} $$ ${", "echo web ${a} $$ ${"),
        ("awk '{print $1}' $$${a}", "awk '{print $1}' $${a}"),
    ])
    func `Commands and contents keep what is the shell's`(text: String, result: String) throws {
        let more = "variables: {a: web}\ncommands:\n- |-\n  \(text)\nfiles:\n- path: /a\n  content: |-\n    \(text)\n"
        let definition = try Native.parse(Native.minimal(more))
        #expect(definition.commands == [CommandChange(run: result)])
        #expect(definition.files.first?.content == .inline(result))
    }

    @Test func `A value is not searched for variables again`() throws {
        #expect(try hostname("x${a}", "{a: '$${a}'}", set: [("a", "y")]) == "xy")
        #expect(
            try Native.parse(Native.minimal("variables: {a: '$${a}'}\ncommands: ['${a}']\n")).commands
                == [CommandChange(run: "${a}")])
    }

    @Test func `A checked text is checked with its variables replaced`() {
        #expect(
            Native.problems(Native.minimal("variables: {a: A_B}\nhostname: x.${a}\n"))
                == "7:11: 'x.A_B' is not a host name, such as web.example.org")
    }

    @Test func `Numbers stay as they are written`() throws {
        let text = Native.minimal().replacing("\"1.0\"", with: "9.10").replacing("web", with: "007")
        let definition = try Native.parse(text)
        #expect(definition.version == "9.10")
        #expect(definition.name == "007")
    }
}
