import copy
import pickle

from engine.findings import Finding


def test_a_finding_is_its_problem_and_keeps_its_remedy_when_it_travels():
    finding = Finding("3 frames  are\nmissing", "Copy them again")
    assert finding == "3 frames are missing"
    assert finding.sentences == "3 frames are missing. Copy them again"
    for travelled in (pickle.loads(pickle.dumps(finding)), copy.deepcopy(finding)):
        assert (travelled, travelled.remedy) == (finding, "Copy them again")
