SCALE = 0.05
def calls(): return []
