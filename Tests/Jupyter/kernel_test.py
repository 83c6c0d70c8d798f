"""The kernel against the protocol's own tests, and what those leave open. Run by `make test-jupyter`."""
import base64
import threading
import time
import unittest

import jupyter_client
import jupyter_kernel_test


class ProtocolTests(jupyter_kernel_test.KernelTests):
    kernel_name = "host"
    language_name = "lua"
    file_extension = ".lua"
    code_hello_world = "print 'hello, world'"
    code_stderr = "io.stderr:write('oops\\n')"
    completion_samples = [
        {"text": "tensor.logs", "matches": {"logsumexp"}},
        {"text": "x = pri", "matches": {"print"}},
    ]
    complete_code_samples = ["x = 1", "print('a')", "1 + 1", "for i = 1, 2 do\n  print(i)\nend", ""]
    incomplete_code_samples = ["for i = 1, 3 do", "x = {1,", "function f()", "print('a'"]
    invalid_code_samples = ["x = )", "for = 3", "end"]
    code_execute_result = [
        {"code": "1+2+3", "result": "6"},
        {"code": "x = 4\nx * 2", "result": "8"},
        {"code": "local t = {a = 1,\n  b = 2}\nt.a +\n  t.b", "result": "3"},
        {"code": "tensor{1, 2}", "result": "tensor([1, 2])\n[2] int64"},
    ]
    code_display_data = [{"code": "plot.line{1, 4, 9}:show()", "mime": "image/png"}, {"code": "plot.image(tensor.zeros(8, 8)):show()", "mime": "image/png"}]
    code_generate_error = "error('broken')"
    code_inspect_sample = "tensor.exp"
    supported_history_operations = ("tail", "range", "search")
    code_history_pattern = "1?2*"


class KernelTests(unittest.TestCase):
    """What this kernel promises beyond the common tests. Each has a kernel of its own."""

    def setUp(self):
        self.km, self.kc = jupyter_client.manager.start_new_kernel(kernel_name="host", startup_timeout=60)

    def tearDown(self):
        self.kc.stop_channels()
        if self.km.is_alive():
            self.km.shutdown_kernel()

    def reply(self, request):
        """The answer on shell to a request."""
        while True:
            message = self.kc.get_shell_msg(timeout=30)
            if message["parent_header"].get("msg_id") == request:
                return message

    def published(self, request):
        """What came on iopub for a request, until it was dealt with."""
        messages = []
        while True:
            message = self.kc.get_iopub_msg(timeout=30)
            if message["parent_header"].get("msg_id") != request:
                continue
            messages.append(message)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return messages

    def run_cell(self, code, **options):
        request = self.kc.execute(code, **options)
        return self.reply(request), self.published(request)

    def outputs(self, messages, kind):
        return [m["content"] for m in messages if m["msg_type"] == kind]

    def test_endless_cell_is_interrupted(self):
        threading.Timer(0.5, self.km.interrupt_kernel).start()
        begin = time.time()
        reply, _ = self.run_cell("kept = 7 pcall(function() while true do end end)")
        self.assertLess(time.time() - begin, 10)
        self.assertEqual(reply["content"]["status"], "error")
        self.assertEqual(reply["content"]["ename"], "Interrupt")
        _, messages = self.run_cell("kept")
        self.assertEqual(self.outputs(messages, "execute_result")[0]["data"]["text/plain"], "7")

    def test_output_comes_while_the_cell_runs_and_in_order(self):
        self.kc.execute("print 'early' time.sleep(1.5) print 'late'")
        first, text = None, ""
        while "late" not in text:
            message = self.kc.get_iopub_msg(timeout=15)
            if message["msg_type"] == "stream":
                first = first or time.time()
                text += message["content"]["text"]
        self.assertGreater(time.time() - first, 0.7)
        self.assertEqual(text, "early\nlate\n")
        _, messages = self.run_cell("io.write 'before' plot.image(tensor.zeros(4, 4)):show() print 'after'")
        kinds = [m["msg_type"] for m in messages if m["msg_type"] in ("stream", "display_data")]
        self.assertEqual(kinds, ["stream", "display_data", "stream"])

    def test_error_names_cell_and_line(self):
        reply, messages = self.run_cell("local t\n\nt.x = 1")
        count = reply["content"]["execution_count"]
        self.assertRegex(reply["content"]["evalue"], rf"^In \[{count}\]:3: attempt to index a nil value \(local 't'\)")
        self.assertIn("stack traceback:", "\n".join(self.outputs(messages, "error")[0]["traceback"]))
        # The second line goes on with the first: nothing may be cut between them.
        _, messages = self.run_cell("g = function(a) return function(b) return a + b end end\nx = g(1)\n(2)\nx")
        self.assertEqual(self.outputs(messages, "execute_result")[0]["data"]["text/plain"], "3")
        _, messages = self.run_cell("for i = 1, 2 do\n  x = i\nend")
        self.assertFalse(self.outputs(messages, "execute_result"))

    def test_silent_cells_count_and_show_nothing(self):
        before = self.run_cell("1")[0]["content"]["execution_count"]
        reply, messages = self.run_cell("hidden = 1 return 5", silent=True)
        self.assertEqual(reply["content"]["status"], "ok")
        self.assertFalse(self.outputs(messages, "execute_result") + self.outputs(messages, "execute_input"))
        self.assertEqual(self.run_cell("hidden")[0]["content"]["execution_count"], before + 1)

    def test_user_expressions(self):
        reply, _ = self.run_cell("y = 3", user_expressions={"good": "y + 1", "bad": "y .. nil"})
        expressions = reply["content"]["user_expressions"]
        self.assertEqual(expressions["good"]["data"]["text/plain"], "4")
        self.assertEqual(expressions["bad"]["status"], "error")

    def test_cells_behind_a_failed_one_are_aborted(self):
        requests = [self.kc.execute(code) for code in ["time.sleep(0.5) error 'first'", "second = 1", "third = 1"]]
        states = [self.reply(request)["content"]["status"] for request in requests]
        self.assertEqual(states, ["error", "aborted", "aborted"])
        requests = [self.kc.execute("error 'again'", stop_on_error=False), self.kc.execute("fourth = 1")]
        states = [self.reply(request)["content"]["status"] for request in requests]
        self.assertEqual(states, ["error", "ok"])
        _, messages = self.run_cell("second, fourth")
        self.assertEqual(self.outputs(messages, "execute_result")[0]["data"]["text/plain"], "nil\n1")

    def test_methods_are_completed_and_explained(self):
        self.run_cell("net = nn.Linear(2, 3) t = tensor.zeros(2)")
        for text, wanted in [("t:unsq", "unsqueeze"), ("net:state_", "state_dict"), ("net.wei", "weight")]:
            content = self.reply(self.kc.complete(text))["content"]
            self.assertIn(wanted, content["matches"])
            self.assertEqual(text[: content["cursor_start"]] + wanted, text.replace(text[content["cursor_start"] :], wanted))
        content = self.reply(self.kc.inspect("t:unsqueeze(0)", 6))["content"]
        self.assertTrue(content["found"])
        self.assertIn("unsqueeze(", content["data"]["text/plain"])

    def test_figures_are_png(self):
        _, messages = self.run_cell("plot.line{1, 2, 3}")
        data = self.outputs(messages, "display_data")[0]["data"]
        self.assertTrue(base64.b64decode(data["image/png"]).startswith(b"\x89PNG"))
        self.assertIn("Figure", data["text/plain"])

    def test_messages_with_a_wrong_signature_are_not_heard(self):
        right = self.kc.session.key
        self.kc.session.key = b"wrong"
        self.kc.execute("intruder = 1")
        self.kc.session.key = right
        _, messages = self.run_cell("intruder")
        self.assertEqual(self.outputs(messages, "execute_result")[0]["data"]["text/plain"], "nil")

    def test_leaving_a_cell_ends_the_kernel(self):
        self.run_cell("os.exit(0)")
        for _ in range(100):
            if not self.km.is_alive():
                break
            time.sleep(0.1)
        self.assertFalse(self.km.is_alive())


if __name__ == "__main__":
    unittest.main(verbosity=2)
