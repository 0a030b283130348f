"""The publish stage: what each repository should hold, what would change, one commit each, and the proof.

release -> listing -> plan (with merge, guard) -> apply      one repository
fleet -> rollout (with collection, space); saved             all of them
provenance, evalresults, digests, patience, difference       what these are made with
"""
